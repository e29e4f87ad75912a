import type { MachineStore } from '#operators/update/omaha/store/store.ts';
import { medianOf, print, run } from './measure.ts';

/** Prints what it takes to look at all machines and all that happened. */
export async function measureReads(store: MachineStore, group: string): Promise<void> {
  const page = { group, limit: 100 };
  const last = (await store.history({ group, limit: 1 }))[0]?.sequence ?? 0;
  const reads: [string, () => Promise<unknown>][] = [
    ['versions, phases and standings of a group', () => store.group(group)],
    ['the newest activity', () => store.history(page)],
    ['activity in the middle', () => store.history({ ...page, before: Math.floor(last / 2) })],
    ['machines of a version', () => store.machines({ ...page, version: '1.0.0' })],
    ['machines in a phase', () => store.machines({ ...page, phase: 'Downloading' })],
  ];
  for (const [what, read] of reads) print(what, await medianOf(3, () => run(50, 1, read)));
}
