import assert from 'node:assert/strict';
import type { MachineStore } from '../../store.ts';
import { Replica } from './replica.ts';
import type { Where } from './worker.ts';

/** How to race for budgets. */
export interface Race {
  where: Where;
  /** Opens the store in order to count; after the replicas have ended where only one may have it open. */
  count: () => Promise<MachineStore>;
  replicas: number;
  trials: number;
  /** A replica is killed, and started again, in every round of so many trials. 0: never. */
  killEvery: number;
  /** Told after each round. */
  progress?: ((done: number) => void) | undefined;
}

/** What was found. */
export interface RaceResult {
  trials: number;
  /** Trials in which more machines were granted than may be. */
  overshoots: number;
  /** Acknowledged grants that are not in the store. */
  lost: number;
  kills: number;
}

const TRIALS_AT_ONCE = 50;
/** Of each replica, in each trial. */
const MACHINES = 6;
const BUDGETS = [1, 2, 5, 10];

/**
 * Trials, each in a group of its own: the machines of all replicas ask at the same time for fewer places than
 * they are. What was acknowledged is compared with the budget, and with what the store then holds.
 */
export async function race(options: Race): Promise<RaceResult> {
  const { where, replicas, trials, killEvery, progress } = options;
  let running = await Promise.all(Array.from({ length: replicas }, () => Replica.start(where)));
  const retired: Replica[] = [];
  const ordered = new Map<Replica, number>();
  let kills = 0;
  for (let first = 0; first < trials; first += TRIALS_AT_ONCE) {
    const last = Math.min(first + TRIALS_AT_ONCE, trials);
    orderTrials(running, first, last, ordered);
    const isKill = killEvery > 0 && Math.floor(last / killEvery) > Math.floor(first / killEvery);
    const victim = isKill ? running[kills % replicas] : undefined;
    if (victim !== undefined) {
      await someAnswers(victim);
      await victim.kill();
      kills += 1;
      retired.push(victim);
      running = running.map((one) => (one === victim ? undefined : one)).filter((one) => one !== undefined);
      running.push(await Replica.start(where));
    }
    await Promise.all(running.map((one) => one.ended(ordered.get(one) ?? 0)));
    progress?.(last);
  }
  await Promise.all(running.map((one) => one.kill()));
  return { trials, kills, ...(await judge([...retired, ...running], trials, options)) };
}

function orderTrials(
  running: readonly Replica[],
  first: number,
  last: number,
  ordered: Map<Replica, number>,
): void {
  for (let trial = first; trial < last; trial += 1) {
    running.forEach((replica, index) => {
      const machine = trial * 1000 + index * MACHINES;
      const range = { first: machine, last: machine + MACHINES - 1 };
      replica.order({ ...range, group: `trial-${trial}`, version: '1.0.0', inProgress: budgetOf(trial) });
      ordered.set(replica, (ordered.get(replica) ?? 0) + 1);
    });
  }
}

function budgetOf(trial: number): number {
  return BUDGETS[trial % BUDGETS.length] ?? 1;
}

/** Waits until a replica is in the midst of its orders. */
async function someAnswers(replica: Replica): Promise<void> {
  const before = replica.answers.length;
  while (replica.isRunning && replica.answers.length === before)
    await new Promise((resolve) => setImmediate(resolve));
}

async function judge(
  all: readonly Replica[],
  trials: number,
  { count }: Race,
): Promise<Pick<RaceResult, 'overshoots' | 'lost'>> {
  const store = await count();
  const granted = Map.groupBy(
    all.flatMap(({ answers }) => answers).filter((answer) => answer.granted === true),
    ({ group }) => group,
  );
  let [overshoots, lost] = [0, 0];
  for (let trial = 0; trial < trials; trial += 1) {
    const group = `trial-${trial}`;
    const held = await store.machines({ group, phase: 'Granted', limit: 1000 });
    const { inProgress } = await store.group(group);
    assert.equal(inProgress, held.length, `the counter of ${group}`);
    const acknowledged = granted.get(group) ?? [];
    const ids = new Set(held.map(({ id }) => Number(id.slice(1))));
    lost += acknowledged.filter(({ id }) => !ids.has(id ?? -1)).length;
    const most = Math.max(held.length, acknowledged.length);
    if (most > budgetOf(trial)) overshoots += 1;
  }
  await store.close();
  return { overshoots, lost };
}
