import type { Outcome } from './outcome.ts';
import type { Wave } from './waves.ts';

/** A wave as status tells of it. */
export interface WaveStatus {
  name: string;
  nodes: number;
  done: number;
  /** Those besides nodes, and of these those that came to an end. */
  machines?: number | undefined;
  machinesDone?: number | undefined;
  upTo?: string | undefined;
  /** RFC 3339. */
  doneAt?: string | undefined;
}

/** How far the waves have come. */
export interface WaveProgress {
  waves: WaveStatus[];
  /** Index of the wave that is under way or soaking; waves up to here are open. Past the end when all are done. */
  current: number;
  /** When the current wave's soak ends, in ms since the epoch; undefined while it is not done. */
  soakEndsAt?: number;
}

/**
 * A wave is done when every node of it has come to an end, and the failures among them were few enough not to
 * halt. Nodes that are offline or silent have not come to an end: they hold the wave. Done stays done
 * (`previous`, of the same target): a node that joins an early wave later does not close the later ones.
 *
 * That holds once the waves after it have had nodes to begin with. A wave of no nodes is passed by and not done:
 * nodes that come into it later (what kept them from the target is gone, or the group was empty) go wave after
 * wave.
 */
export function waveProgress(
  waves: readonly Wave[],
  outcomes: ReadonlyMap<string, Outcome>,
  previous: readonly WaveStatus[] | undefined,
  now: number,
): WaveProgress {
  const seen = waves.map(({ name, nodes, others }) => ({
    name,
    nodes: nodes.length,
    done: nodes.filter((node) => isEnd(outcomes.get(node))).length,
    ...shownOthers(others),
  }));
  const before = keptInstants(previous ?? []);
  const passed = seen.findLastIndex(({ name }) => before.get(name)?.isBinding === true);
  const statuses: WaveStatus[] = [];
  let current: WaveProgress | undefined;
  for (const [index, wave] of seen.entries()) {
    const isReached = current === undefined;
    const doneAt = isReached ? doneSince(wave, before.get(wave.name), now) : undefined;
    statuses.push(doneAt === undefined ? wave : { ...wave, doneAt: new Date(doneAt).toISOString() });
    if (!isReached || totalOf(wave) === 0 || (doneAt === undefined && index < passed)) continue;
    const soakEndsAt = doneAt === undefined ? undefined : doneAt + (waves[index]?.soakMs ?? 0);
    if (soakEndsAt === undefined) current = { waves: statuses, current: index };
    else if (soakEndsAt > now) current = { waves: statuses, current: index, soakEndsAt };
  }
  return current ?? { waves: statuses, current: waves.length };
}

/** When a wave was done; binding once there were nodes after it, which may have begun since. */
interface Kept {
  at: number;
  isBinding: boolean;
}

function keptInstants(previous: readonly WaveStatus[]): Map<string, Kept> {
  const lastPeopled = previous.findLastIndex((wave) => totalOf(wave) > 0);
  const kept = new Map<string, Kept>();
  for (const [index, { name, doneAt }] of previous.entries()) {
    if (doneAt !== undefined) kept.set(name, { at: Date.parse(doneAt), isBinding: index < lastPeopled });
  }
  return kept;
}

function doneSince(wave: WaveStatus, kept: Kept | undefined, now: number): number | undefined {
  if (kept?.isBinding === true) return kept.at;
  const total = totalOf(wave);
  return total > 0 && wave.done + (wave.machinesDone ?? 0) === total ? (kept?.at ?? now) : undefined;
}

/** Nodes and machines of a wave. */
export function totalOf({ nodes, machines = 0 }: WaveStatus): number {
  return nodes + machines;
}

function shownOthers(others: Wave['others']): Pick<WaveStatus, 'machines' | 'machinesDone' | 'upTo'> {
  if (others === undefined) return {};
  const { total, done, upTo } = others;
  return { machines: total, machinesDone: done, ...(upTo === undefined ? {} : { upTo }) };
}

function isEnd(outcome: Outcome | undefined): boolean {
  return outcome === 'succeeded' || outcome === 'failed' || outcome === 'accepted';
}
