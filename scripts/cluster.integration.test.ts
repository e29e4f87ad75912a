import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { guarded, type GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { root } from './tool.ts';

const program = [path.join(root, 'scripts/cluster.ts')] as const;

test('npm run cluster says how to reach the cluster, and leaves nothing after Ctrl-C', async () => {
  const script = await guarded(process.execPath, program, { stdout: 'pipe', cwd: root });
  const { kubeconfig, kubectl } = await instructions(script);
  const namespaces = execFileSync(kubectl, ['get', 'namespaces'], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    encoding: 'utf8',
  });
  assert.match(namespaces, /kube-system/);
  script.signal('SIGINT');
  assert.equal(await script.exited, 0);
  assert.equal(existsSync(path.dirname(kubeconfig)), false);
});

test('it ends when npm is killed, which leaves its script behind', async () => {
  // A program that stands for npm. It starts the script in another process group, which its guardian does not
  // kill: only the script's own watch over its parent can end it.
  const start = 'spawn(process.execPath, process.argv.slice(1), { detached: true, stdio: "inherit" })';
  const standIn = ['-e', `require("node:child_process").${start}`, ...program];
  const npm = await guarded(process.execPath, standIn, { stdout: 'pipe', cwd: root });
  const { kubeconfig } = await instructions(npm);
  await npm.kill();
  await until('the cluster is gone', () => !existsSync(path.dirname(kubeconfig)));
});

/** Waits for what the script prints when the cluster is ready. */
async function instructions(script: GuardedProcess): Promise<{ kubeconfig: string; kubectl: string }> {
  if (script.stdout === null) throw new Error('no output');
  const printed: Buffer[] = [];
  script.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  const find = (pattern: RegExp) => pattern.exec(Buffer.concat(printed).toString())?.[1] ?? '';
  await until('the script says that the cluster is ready', () => find(/(leaves nothing)/) !== '', {
    timeoutMs: 300_000,
  });
  return { kubeconfig: find(/KUBECONFIG=(\S+)/), kubectl: find(/kubectl=(\S+)/) };
}
