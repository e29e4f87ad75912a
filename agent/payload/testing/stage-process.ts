import { readFileSync } from 'node:fs';
import { openGptEngine } from '../../slots/gpt/gpt-engine.ts';
import { stagePayload } from '../stage.ts';

/** What the process is given, as JSON in its first argument. */
export interface Task {
  disk: string;
  running: string;
  manifest: string;
  keys: string[];
  version: string;
  stateDir: string;
}

/** What it prints. Memory in bytes, time in milliseconds. */
export interface Outcome {
  sha256: string;
  size: number;
  reused: number;
  peak: number;
  took: number;
}

// Staging in a process of its own, to be measured and to be killed.
const { disk, running, ...task } = JSON.parse(process.argv[2] ?? '') as Task;
const target = await (await openGptEngine({ disk, running })).open();
const start = performance.now();
const staged = await stagePayload({ ...task, target });
await target.close();
const outcome: Outcome = {
  ...staged,
  peak: peakMemory(),
  took: performance.now() - start,
};
console.log(JSON.stringify(outcome));

/** Of this program alone; `resourceUsage().maxRSS` counts what the parent had when it forked. */
function peakMemory(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
