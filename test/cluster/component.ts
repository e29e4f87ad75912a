import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ClusterError } from './cluster-error.ts';
import { guarded, type GuardedDirectory, type GuardedProcess } from './guardian.ts';

/** One process of the control plane, with its log file in the cluster's directory. */
export interface Component {
  readonly name: string;
  readonly log: string;
  readonly process: GuardedProcess;
}

/** Starts a binary of the control plane. It is killed at once when the cluster ends: nothing of it is kept. */
export async function startComponent(
  directory: GuardedDirectory,
  binary: string,
  args: readonly string[],
): Promise<Component> {
  const name = path.basename(binary);
  const log = path.join(directory.path, `${name}.log`);
  const output = openSync(log, 'a');
  try {
    const options = { stdout: output, stderr: output, graceMs: 0, within: directory.cleanup };
    const process = await guarded(binary, args, { ...options, cwd: directory.path });
    return { name, log, process: process.unref() };
  } finally {
    closeSync(output);
  }
}

/**
 * Waits until `ready` says so.
 * @throws ClusterError ComponentFailed with the end of the log if the component ends before or takes too long
 */
export async function waitReady(
  component: Component,
  ready: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ready())) {
    if (!component.process.running) throw await failed(component, 'ended before it was ready');
    if (Date.now() >= deadline) throw await failed(component, `was not ready after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Never resolves; rejects with ComponentFailed when the component ends. */
export async function diedEarly(component: Component): Promise<never> {
  await component.process.exited;
  throw await failed(component, 'ended');
}

async function failed(component: Component, what: string): Promise<ClusterError> {
  const log = await readFile(component.log, 'utf8').catch(() => '');
  const end = log.trimEnd().split('\n').slice(-15).join('\n');
  return new ClusterError('ComponentFailed', `${component.name} ${what}. The end of its log:\n${end}`);
}
