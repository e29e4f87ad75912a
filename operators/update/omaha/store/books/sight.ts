import type { Machine, MachineKey, Sighting } from '../machine.ts';

/** In what steps `lastSeen` moves. */
const SEEN_STEP_MS = 60_000;

const OPTIONAL = ['board', 'oem', 'oemVersion', 'alias', 'alephVersion', 'bootID'] as const;

/** The machine with what a request tells of it; a new one where there was none. */
export function sight(
  machine: Machine | undefined,
  key: MachineKey,
  sighting: Sighting,
  now: number,
): Machine {
  return machine === undefined ? firstSeen(key, sighting, now) : seenAgain(machine, sighting, now);
}

function firstSeen({ app, id }: MachineKey, sighting: Sighting, now: number): Machine {
  const told = Object.fromEntries(Object.entries(sighting).filter(([, value]) => !isSilence(value)));
  const { group, version, track, arch, address } = sighting;
  const always = { app, id, group, version, track, arch, address };
  const state = { archived: false, phase: 'Idle', since: now, failures: [] } as const;
  return { ...told, ...always, ...state, firstSeen: now, lastSeen: now };
}

function seenAgain(machine: Machine, sighting: Sighting, now: number): Machine {
  const { group, version, track, arch, address } = sighting;
  const next: Machine = { ...machine, group, version, track, arch, address, archived: false };
  if (Math.abs(now - machine.lastSeen) >= SEEN_STEP_MS) next.lastSeen = now;
  for (const field of OPTIONAL) if (!isSilence(sighting[field])) next[field] = sighting[field];
  return next;
}

function isSilence(value: unknown): boolean {
  return value === undefined || value === '';
}
