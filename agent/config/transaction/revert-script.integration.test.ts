import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestHost } from '../testing/host.ts';
import { cannotMount, MountedHost } from '../testing/mounted-host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { twentyFiles, writeShipped } from '../testing/twenty-files.ts';
import type { Transaction } from './contract.ts';

/* The script runs with the host as its root: a shell, in a namespace where the host's directories have their names. */
const skip = cannotMount ?? false;

async function prepared(host: TestHost, generation: 1 | 2): Promise<Transaction> {
  const document = twentyFiles(generation);
  const files = host.files();
  return files.prepare({ document, plan: await files.plan(document), meta: {} });
}

/** A host on whose `/etc` the script of a shell in its namespace works. */
async function switched(mounted: MountedHost): Promise<{ old: Record<string, string>; script: string }> {
  const { host } = mounted;
  await writeShipped(host);
  const first = await prepared(host, 1);
  await first.switch();
  await first.keep();
  const old = await snapshot(host.root);
  const transaction = await prepared(host, 2);
  const script = [...transaction.revertScript(), 'echo "$careen_result"'].join('\n');
  await transaction.switch();
  return { old, script };
}

/** The state directory and /etc of the test's host where the script names them. */
function onHost(script: string): string {
  return `mount --bind etc /etc; mount --bind var/lib /var/lib
${script}`;
}

function run(mounted: MountedHost, script: string): string {
  return mounted.run(`unshare --mount sh -c "$(cat <<'END'\n${onHost(script)}\nEND\n)"`).trim();
}

test('the host undoes a change without the agent, which finds it undone (A16)', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  const { old, script } = await switched(mounted);
  assert.equal(run(mounted, script), 'reverted');
  assert.deepEqual(await snapshot(host.root), old);
  const { transaction } = await host.files().recover();
  assert.deepEqual([transaction?.stage, transaction?.undoneByHost], ['Reverted', true]);
  await transaction?.close();
  assert.deepEqual(await snapshot(host.root), old);
  assert.equal(run(mounted, script), 'kept', 'it is over');
});

test('cut off anywhere and run again, the script ends with all old (A19)', { skip }, async () => {
  for (let lines = 1; ; lines += 45) {
    await using mounted = await MountedHost.make();
    const { old, script } = await switched(mounted);
    const cut = script.split('\n').findIndex((line, index) => index >= lines && line.startsWith(') ||'));
    if (cut < 0) break;
    run(mounted, [...script.split('\n').slice(0, cut + 1), 'fi'].join('\n'));
    assert.equal(run(mounted, script), 'reverted');
    assert.deepEqual(await snapshot(mounted.host.root), old);
  }
});

test('of the agent and the timer of the host exactly one decides', { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  const { script, old } = await switched(mounted);
  const { transaction } = await host.files().recover();
  assert.equal(run(mounted, script), 'reverted');
  assert.equal(await transaction?.keep(), false);
  assert.equal(transaction?.stage, 'Reverted');
  await transaction.close();
  assert.deepEqual(await snapshot(host.root), old);
  const again = await prepared(host, 2);
  const late = [...again.revertScript(), 'echo "$careen_result"'].join('\n');
  await again.switch();
  const fresh = await snapshot(host.root, '/etc/new-2');
  assert.equal(await again.keep(), true);
  assert.equal(run(mounted, late), 'kept');
  assert.deepEqual(await snapshot(host.root, '/etc/new-2'), fresh);
});
