import type { Decision, Limits } from '../decision.ts';
import type { Machine, MachineKey, Sighting } from '../machine.ts';
import type { MachineStore, SweepPolicy, Swept } from '../store.ts';

/** An instant to begin with, in ms since the epoch. */
export const NOW = Date.UTC(2026, 4, 1);
export const MINUTE = 60_000;
export const DAY = 86_400_000;

export const APP = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

export function key(name: number | string): MachineKey {
  return { app: APP, id: typeof name === 'number' ? `m${String(name).padStart(6, '0')}` : name };
}

export const SIGHTING: Sighting = {
  group: 'edge',
  version: '1.0.0',
  track: 'stable',
  arch: 'amd64',
  address: '192.0.2.7',
};

export const UNLIMITED: Limits = { inProgress: 1_000_000 };

/** Wants `version`, to be finished within the hour. */
export function offer(version: string, now: number, limits: Limits): Decision {
  return {
    grant: { version, target: version, deadline: now + 60 * MINUTE, limits },
    rollout: { target: version, wave: 0, outcome: 'pending' },
    full: (limit) => ({ hold: { reason: limit, message: `${limit} is full`, since: now } }),
    history: [{ kind: 'Granted', message: `gets ${version}`, version }],
  };
}

/** Asks for 2.0.0, and gives the machine as it is then. */
export async function ask(store: MachineStore, id: number, limits: Limits, now = NOW): Promise<Machine> {
  const { machine } = await store.contact(key(id), SIGHTING, now, () => offer('2.0.0', now, limits));
  return machine;
}

export const POLICY: SweepPolicy = {
  silentMs: 7 * DAY,
  forgetMs: 30 * DAY,
  historyMs: 90 * DAY,
  historyRecords: 1_000_000,
  sampleMs: 15 * MINUTE,
};

/** Sweeps until nothing more is to be done, and sums up what was. */
export async function sweepAll(store: MachineStore, now: number, policy = POLICY): Promise<Swept> {
  const all = { expired: 0, archived: 0, forgotten: 0, groups: [] as readonly string[], more: true };
  while (all.more) {
    const swept = await store.sweep(now, policy);
    all.expired += swept.expired;
    all.archived += swept.archived;
    all.forgotten += swept.forgotten;
    all.groups = [...new Set([...all.groups, ...swept.groups])];
    all.more = swept.more;
  }
  return all;
}
