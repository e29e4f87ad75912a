import type { Others, Wave } from '#operators/rollout/waves.ts';
import type { StandingCount } from '../omaha/store/group-view.ts';
import type { WaveStatus } from '#operators/rollout/wave-progress.ts';

/** The machines of a group that ask over Omaha, as far as its rollout is planned from them. */
export interface Machines {
  /** Those that were heard of lately. */
  total: number;
  /** By rollout, wave and outcome. */
  standings: readonly StandingCount[];
  /** Some that failed the target, by id. */
  failed: readonly string[];
  /** How the declared waves are dealt out, where that was done just now. */
  deal?: readonly Dealt[] | undefined;
}

/** A declared wave's part of the machines. */
export interface Dealt {
  upTo: string;
  machines: number;
}

/** The parts of the machines in waves; the last is `rest`. `isDue`: they have to be dealt out first. */
export interface MachineWaves {
  others: (Others | undefined)[];
  isDue: boolean;
}

/**
 * Machines are known by number only. One that has not asked since the rollout began stands nowhere yet: a wave is
 * not done while some of those that were dealt to it may be among them.
 */
export function machineWaves(
  machines: Machines | undefined,
  target: string,
  declared: number,
  previous: readonly WaveStatus[] | undefined,
): MachineWaves {
  if (machines === undefined) return { others: [], isDue: false };
  const dealt = machines.deal ?? before(previous, declared);
  const isDue = declared > 0 && machines.total > 0 && dealt.every(({ machines: count }) => count === 0);
  const standings = machines.standings.filter((one) => one.target === target);
  const seen = sum(standings, () => true);
  const unseen = Math.max(0, machines.total - seen);
  const parts = Array.from({ length: declared + 1 }, (_, wave): Others => {
    const here = standings.filter((one) => one.wave === wave && one.outcome !== 'ineligible');
    const known = sum(here, () => true);
    const promised =
      wave === declared ? known + unseen : Math.min(dealt[wave]?.machines ?? 0, known + unseen);
    const upTo = dealt[wave]?.upTo;
    return {
      total: Math.max(known, promised),
      done: sum(here, ({ outcome }) => outcome !== 'pending'),
      failed: sum(here, ({ outcome }) => outcome === 'failed'),
      ...(upTo === undefined ? {} : { upTo }),
    };
  });
  return { others: parts, isDue: isDue && machines.deal === undefined };
}

/** How many machines succeeded and failed, for the halt. */
export function machineAttempts({ standings, failed }: Machines, target: string) {
  const here = standings.filter((one) => one.target === target);
  return {
    failed: sum(here, ({ outcome }) => outcome === 'failed'),
    succeeded: sum(here, ({ outcome }) => outcome === 'succeeded'),
    names: failed,
  };
}

export function withOthers(waves: readonly Wave[], { others }: MachineWaves): Wave[] {
  return waves.map((wave, index) => ({ ...wave, others: others[index] }));
}

function before(previous: readonly WaveStatus[] | undefined, declared: number): Dealt[] {
  return (previous ?? [])
    .filter(({ name }) => name !== 'rest')
    .slice(0, declared)
    .map(({ machines = 0, upTo = '' }) => ({ machines, upTo }));
}

function sum(standings: readonly StandingCount[], counts: (one: StandingCount) => boolean): number {
  return standings.filter(counts).reduce((total, { machines }) => total + machines, 0);
}
