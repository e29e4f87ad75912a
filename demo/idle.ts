import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '#test/stack/stack.ts';
import type { Narrator } from './narrator.ts';
import { StoryError } from './story.ts';

/** How long nothing may be written at the end for the cluster to count as idle. */
const IDLE_MS = 10_000;
/** What is still to be told of the chapter before has been told once nothing was for so long. */
const TOLD_MS = 5000;

/** What careen wrote between two instants, in milliseconds since the epoch. */
export type CountWrites = (from: number, to: number) => Promise<number>;

/** Shows that nothing is written while there is nothing to do. @throws StoryError where something is */
export async function showIdle<World>(
  narrator: Narrator<World>,
  stack: Pick<Stack, 'settle' | 'patienceMs'>,
  writesIn: CountWrites,
): Promise<void> {
  narrator.begin('nothing to do');
  await untilToldAll(stack, writesIn);
  const from = Date.now();
  await narrator.until(
    `the cluster was left alone for ${IDLE_MS / 1000} s`,
    () => Date.now() - from >= IDLE_MS,
  );
  const writes = await writesIn(from, Date.now());
  if (writes > 0) throw new StoryError(`careen wrote ${writes} times while there was nothing to do`);
  narrator.say('idle: careen wrote nothing but its leaders’ leases');
}

/** A slow computer may take its time to tell the last of what was done. */
async function untilToldAll(
  stack: Pick<Stack, 'settle' | 'patienceMs'>,
  writesIn: CountWrites,
): Promise<void> {
  const deadline = Date.now() + stack.patienceMs;
  for (let writes = 1; writes > 0 && Date.now() < deadline;) {
    const from = Date.now();
    await sleep(TOLD_MS);
    await stack.settle();
    writes = await writesIn(from, Date.now());
  }
}
