import assert from 'node:assert/strict';
import { chmod, chown, rm, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { ConfigError } from '../config-error.ts';
import { documentOf, file } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { POLICY_PATH, readLocalPolicy } from './local-policy.ts';

const skip = process.getuid?.() === 0 ? false : 'owners of files need root';

function refused(error: unknown): boolean {
  assert.ok(error instanceof ConfigError, String(error));
  assert.equal(error.code, 'PolicyRefused', error.message);
  return true;
}

test('what the policy of the machine forbids is not written, whoever asks (A24)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write(POLICY_PATH, JSON.stringify({ paths: { deny: ['/etc/ssh'] }, commands: false }));
  const document = documentOf({ files: [file('/etc/ssh/sshd_config.d/x.conf', 'x', { critical: true })] });
  await assert.rejects(host.files().plan(document), refused);
  const { commands, units, kernelArguments } = await readLocalPolicy(host.tree);
  assert.deepEqual([commands, units, kernelArguments], [false, { deny: [] }, true]);
});

test('a policy that is not root’s alone, or makes no sense, allows nothing (A24)', { skip }, async () => {
  await using host = await TestHost.make();
  const path = host.at(POLICY_PATH);
  const damage: (() => Promise<unknown>)[] = [
    () => chown(path, 500, 0),
    () => chmod(path, 0o666),
    () => host.write(POLICY_PATH, '{"paths": '),
    () => host.write(POLICY_PATH, '{"path": {}}'),
    () => rm(path).then(() => symlink('/dev/null', path)),
  ];
  for (const make of damage) {
    await rm(path, { force: true });
    await host.write(POLICY_PATH, '{}');
    assert.deepEqual((await readLocalPolicy(host.tree)).paths, { allow: [], deny: [] });
    await make();
    await assert.rejects(readLocalPolicy(host.tree), refused);
  }
});
