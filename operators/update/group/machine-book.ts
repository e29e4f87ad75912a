import type { MachineCounts } from '#api/omaha.ts';
import type { NodeGroupStatus } from '#api/node-group.ts';
import { VERSION_PATTERN } from '#api/fields.ts';
import { compareVersions } from '#api/version.ts';
import { shareOf } from '#operators/rollout/share.ts';
import { matches } from '#api/selector.ts';
import { orderKey } from '#operators/rollout/waves.ts';
import { limitsOf } from '../omaha/decide/machine-limits.ts';
import { machineLabels } from '../omaha/decide/machine-labels.ts';
import { saltOf } from '../omaha/decide/machine-place.ts';
import type { Machine } from '../omaha/store/machine.ts';
import type { GroupCounts, MachineStore } from '../omaha/store/store.ts';
import type { Dealt, Machines } from '../rollout/machines.ts';
import type { UpdatePolicy } from '../rollout/policy.ts';

/** So many machines are read at once. */
const PAGE = 1000;
const MOST_NAMES = 32;
const MOST_VERSIONS = 64;
const MOST_REASONS = 64;

/** What the leader asks of the store when it plans a group's rollout. */
export class MachineBook {
  readonly #store: MachineStore;

  constructor(store: MachineStore) {
    this.#store = store;
  }

  counts(group: string): Promise<GroupCounts> {
    return this.#store.group(group);
  }

  /** The machines of a group as its rollout to `target` is planned from them. */
  async look(group: string, target: string | undefined): Promise<Machines & { counts: GroupCounts }> {
    const counts = await this.#store.group(group);
    const hasFailures = counts.standings.some((one) => one.target === target && one.outcome === 'failed');
    const failed = hasFailures && target !== undefined ? await this.#failed(group, target) : [];
    return { total: counts.machines, standings: counts.standings, failed, counts };
  }

  /**
   * Deals a group's machines out to the declared waves, in the order of the rollout, and says of each wave up to
   * which place of that order it goes: with that, every replica tells a machine's wave from its id alone.
   */
  async deal(group: string, target: string, waves: UpdatePolicy['rollout']['waves']): Promise<Dealt[]> {
    const salt = saltOf(group, target);
    const members: { place: string; labels: Record<string, string>; isTaken: boolean }[] = [];
    for await (const machine of this.#all(group)) {
      members.push({
        place: orderKey(salt, machine.id),
        labels: machineLabels(machine.id, machine),
        isTaken: false,
      });
    }
    members.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
    return waves.map(({ size, nodeSelector = {} }) => {
      const matching = members.filter(({ labels }) => matches(nodeSelector, labels));
      const dealt = matching.filter(({ isTaken }) => !isTaken).slice(0, shareOf(size, matching.length, 'up'));
      for (const member of dealt) member.isTaken = true;
      return { upTo: dealt.at(-1)?.place ?? '', machines: dealt.length };
    });
  }

  /**
   * Asks for places for nodes of the cluster, in the same budget as the machines'. Machines ask many times a second and
   * would take each place that comes free: where nodes are left over, the next one is kept for them.
   */
  async places(
    group: string,
    policy: UpdatePolicy,
    total: number,
    { held, more }: { held: number; more: number },
    now: number,
  ): Promise<number> {
    const limits = limitsOf(policy, total);
    const given = await this.#store.holdNodes(group, held, more, limits, now);
    if (given < more) await this.#store.holdNodes(group, held + given + 1, 0, limits, now);
    return given;
  }

  async #failed(group: string, target: string): Promise<string[]> {
    const standing = { target, outcome: 'failed' };
    const found = await this.#store.machines({ group, standing, limit: MOST_NAMES });
    return found.map(({ id }) => id);
  }

  async *#all(group: string): AsyncIterable<Machine> {
    let last: Machine | undefined;
    do {
      const page: Machine[] = await this.#store.machines({ group, limit: PAGE, after: last });
      yield* page;
      last = page.length < PAGE ? undefined : page.at(-1);
    } while (last !== undefined);
  }
}

/** The machines of a group as its status shows them. */
export function machineCounts(counts: GroupCounts, target: string | undefined): MachineCounts {
  const phase = (name: keyof GroupCounts['byPhase']) => counts.byPhase[name] ?? 0;
  const arrived = counts.standings.filter((one) => one.target === target && one.outcome === 'succeeded');
  return {
    total: counts.machines,
    upToDate: arrived.reduce((sum, { machines }) => sum + machines, 0),
    waiting: phase('Waiting'),
    updating: counts.inProgress,
    installed: phase('Installed'),
    failed: phase('Failed'),
    rolledBack: phase('RolledBack'),
    archived: counts.archived,
    ...versionsOf(counts),
    ...heldOf(counts),
  };
}

function heldOf({ holds }: GroupCounts): Pick<MachineCounts, 'held'> {
  const held = Object.entries(holds).filter(([, machines]) => machines > 0);
  if (held.length === 0) return {};
  const sorted = held.toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, MOST_REASONS);
  return { held: sorted.map(([reason, machines]) => ({ reason, machines })) };
}

function versionsOf({ versions }: GroupCounts): Pick<NonNullable<NodeGroupStatus['machines']>, 'versions'> {
  const known = Object.entries(versions).filter(
    ([version, count]) => count > 0 && VERSION_PATTERN.test(version),
  );
  if (known.length === 0) return {};
  const sorted = known.toSorted(([a, m], [b, n]) => n - m || compareVersions(b, a)).slice(0, MOST_VERSIONS);
  return { versions: sorted.map(([version, machines]) => ({ version, machines })) };
}
