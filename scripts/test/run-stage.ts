import { readFile } from 'node:fs/promises';
import { guarded } from '#test/cluster/guardian.ts';
import { root } from '../tool.ts';
import type { Stage } from './stage.ts';
import { duration, type Tally } from './tally.ts';

/** How one stage went. */
export interface StageResult {
  name: string;
  tally: Tally;
  ms: number;
}

/** Runs a stage with its output to ours, under a headline, and tells how it went. */
export async function runStage(stage: Stage): Promise<StageResult> {
  console.log(`\n── ${stage.name} ${'─'.repeat(Math.max(0, 76 - stage.name.length))}`);
  await stage.prepare?.((line) => console.log(line));
  const began = performance.now();
  const [command, args] = stage.command;
  const child = await guarded(command, args, { cwd: root, stdout: 'inherit', stderr: 'inherit' });
  const status = await child.exited;
  const ms = performance.now() - began;
  const tally = await tallyOf(stage, status);
  const verdict = tally.failed === 0 ? 'ok' : 'FAILED';
  console.log(`${stage.name}: ${verdict}, ${tally.passed} passed, ${tally.failed} failed, ${duration(ms)}`);
  const slow = tally.files
    .filter(({ ms: took }) => took > 20_000)
    .toSorted((one, other) => other.ms - one.ms);
  for (const { file, ms: took } of slow.slice(0, 12)) console.log(`${duration(took).padStart(12)}  ${file}`);
  if (tally.failed > 0 && stage.remedy !== undefined) console.log(`${stage.name}: run ${stage.remedy}`);
  return { name: stage.name, tally, ms };
}

/** A runner that failed without a failed test (it crashed, or found a file that it cannot load) is a failure. */
async function tallyOf(stage: Stage, status: number): Promise<Tally> {
  const failures = status === 0 ? [] : [`${stage.name}: exit status ${status}`];
  const asOne = { passed: status === 0 ? 1 : 0, failed: failures.length, skipped: 0, failures, files: [] };
  if (stage.tally === undefined) return asOne;
  const written = await readFile(stage.tally, 'utf8').catch(() => '');
  const tally = written === '' ? { ...asOne, passed: 0 } : (JSON.parse(written) as Tally);
  return status !== 0 && tally.failed === 0 ? { ...tally, failed: 1, failures } : tally;
}
