import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#runtime/log/log.ts';
import type { MachineStore, SweepPolicy } from './store/store.ts';

export interface HousekeepingOptions {
  store: MachineStore;
  policy: SweepPolicy;
  /** A group's machines changed: its rollout may go on. */
  onChange: (group: string) => void;
  log: Pick<Log, 'warn'>;
  /** ms since the epoch. */
  now: () => number;
  /** Time between two rounds, in ms. */
  everyMs: number;
}

/**
 * What only the leader does with the store: it notices deadlines that have passed and machines that fell silent,
 * forgets what the policy no longer keeps, and has groups planned anew whose machines moved. A round that fails is
 * made again: nothing rests on when it happens.
 */
export async function keepHouse(options: HousekeepingOptions, signal: AbortSignal): Promise<void> {
  const seen = new Map<string, string>();
  while (!signal.aborted) {
    await round(options, seen, signal).catch((error: unknown) => {
      options.log.warn('cannot look after the machines; trying again', { error });
    });
    await pause(options.everyMs, signal);
  }
}

async function round(
  { store, policy, onChange, now }: HousekeepingOptions,
  seen: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  let more = true;
  while (more && !signal.aborted) ({ more } = await store.sweep(now(), policy));
  for (const group of await store.groups()) {
    const counts = JSON.stringify(await store.group(group));
    if (seen.get(group) === counts) continue;
    seen.set(group, counts);
    onChange(group);
  }
}

/** Leaves no listener on the signal: it lives as long as the leader. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
