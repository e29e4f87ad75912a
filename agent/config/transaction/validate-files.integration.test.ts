import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '#agent/boot/command.ts';
import { ConfigError } from '../config-error.ts';
import { noLocalPolicy } from '../paths/local-policy.ts';
import { describeChanges } from '../plan/describe-changes.ts';
import { documentOf, file } from '../testing/document.ts';
import { TestHost } from '../testing/host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { validateFiles } from './validate-files.ts';

const skip = process.getuid?.() === 0 ? false : 'owners of files need root';
const signal = AbortSignal.timeout(600_000);
const validate = [{ path: '/etc/a', argv: ['grep', '-n', 'good', '{}'] }];

/** Programs see the test's host where the agent does, not as their root. */
function runOn(host: TestHost) {
  return (argv: readonly string[]) =>
    runCommand(
      argv.map((word) => (word.startsWith('/') ? host.at(word) : word)),
      signal,
    );
}

async function validated(host: TestHost, text: string, more = {}): Promise<ConfigError | undefined> {
  const document = documentOf({ files: [file('/etc/a', text, more)], validate });
  const files = host.files();
  const transaction = await files.prepare({ document, plan: await files.plan(document), meta: {} });
  try {
    await validateFiles(document, transaction, { run: runOn(host), local: noLocalPolicy, signal });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  } finally {
    await transaction.revert();
    await transaction.close();
  }
}

test('a program judges a file before it takes its place, and what it says is told', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/a', 'good');
  const before = await snapshot(host.root);
  assert.equal(await validated(host, 'also good'), undefined);
  const refused = await validated(host, 'bad');
  assert.equal(refused?.code, 'ValidateFailed');
  assert.match(refused.message, /grep refused \/etc\/a \(ended with 1\)/);
  assert.deepEqual(await snapshot(host.root), before);
});

test('a secret stands in no diff, no hash and no message (A22)', { skip }, async () => {
  await using host = await TestHost.make();
  await host.write('/etc/a', 'hunter1\n');
  const secret = documentOf({ files: [file('/etc/a', 'hunter2\n', { sensitive: true })] });
  const plan = await host.files().plan(secret);
  assert.doesNotMatch(JSON.stringify(await describeChanges(host.tree, plan)), /hunter/);
  const quoting = [{ path: '/etc/a', argv: ['sh', '-c', 'cat "$0"; exit 3', '{}'] }];
  const files = host.files();
  const transaction = await files.prepare({ document: secret, plan, meta: {} });
  const options = { run: runOn(host), local: noLocalPolicy, signal };
  await assert.rejects(validateFiles({ validate: quoting }, transaction, options), (error) => {
    return (
      error instanceof ConfigError && !error.message.includes('hunter') && /ended with 3/.test(error.message)
    );
  });
  await transaction.switch();
  await transaction.keep();
  // What was secret is not shown because it no longer is.
  const plain = await host.files().plan(documentOf({ files: [file('/etc/a', 'public\n')] }));
  assert.doesNotMatch(JSON.stringify(await describeChanges(host.tree, plain)), /hunter/);
});

test('no program runs where the policy of the machine forbids them (A24)', { skip }, async () => {
  await using host = await TestHost.make();
  const document = documentOf({ files: [file('/etc/a', 'x')], validate });
  const files = host.files();
  const transaction = await files.prepare({ document, plan: await files.plan(document), meta: {} });
  const local = { ...noLocalPolicy, commands: false };
  await assert.rejects(
    validateFiles(document, transaction, { run: runOn(host), local, signal }),
    (error) => error instanceof ConfigError && error.code === 'PolicyRefused',
  );
});
