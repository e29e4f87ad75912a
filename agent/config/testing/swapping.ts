import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Somebody who swaps a directory for a link to another one, as fast as it goes. */
export interface Swapper extends AsyncDisposable {
  /** While `task` runs the directory is itself. */
  paused(task: () => Promise<void>): Promise<void>;
}

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { renameSync, rmSync, symlinkSync, unlinkSync } = require('node:fs');
const { directory, target, flag } = workerData;
const state = new Int32Array(flag);
const aside = directory + '.aside';
while (Atomics.load(state, 0) !== 2) {
  if (Atomics.load(state, 0) === 1) {
    Atomics.store(state, 1, 1);
    Atomics.wait(state, 0, 1, 5);
    continue;
  }
  Atomics.store(state, 1, 0);
  Atomics.wait(state, 0, 0, 0.2);
  renameSync(directory, aside);
  // Meanwhile the agent may make the directory anew: then this round is lost.
  try { symlinkSync(target, directory); unlinkSync(directory); } catch {}
  for (;;) {
    try { renameSync(aside, directory); break; } catch {}
    try { rmSync(directory, { recursive: true, force: true }); } catch {}
  }
}
`;

/** Swaps `directory` for a link to `target` until it is disposed of. */
export async function swapping(directory: string, target: string): Promise<Swapper> {
  const flag = new SharedArrayBuffer(8);
  const state = new Int32Array(flag);
  const worker = new Worker(PROGRAM, { eval: true, workerData: { directory, target, flag } });
  await once(worker, 'online');
  return {
    async paused(task) {
      Atomics.store(state, 0, 1);
      while (Atomics.load(state, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await task();
      Atomics.store(state, 0, 0);
      // The worker says itself that it goes on: said for it, it might be unsaid, and the next pause be none.
      while (Atomics.load(state, 1) === 1) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    async [Symbol.asyncDispose]() {
      Atomics.store(state, 0, 2);
      await once(worker, 'exit');
    },
  };
}
