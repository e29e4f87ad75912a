import { Counter, Gauge, type Registry } from 'prom-client';
import type { NodeGroupStatus } from '#api/node-group.ts';
import type { RolloutReason } from '#api/reasons.ts';

const STATES = [
  'total',
  'upToDate',
  'staging',
  'staged',
  'rebooting',
  'verifying',
  'held',
  'failed',
  'rolledBack',
  'quarantined',
  'offline',
] as const;

/** Gauges of what groups report, and the count of rollouts that ended. Groups that are gone leave no series behind. */
export class GroupMetrics {
  readonly #nodes: Gauge<'group' | 'state'>;
  readonly #versions: Gauge<'group' | 'version'>;
  readonly #held: Gauge<'reason'>;
  readonly #rollouts: Counter<'result'>;
  /** Held nodes by reason, by group; `''` holds those outside any group. */
  readonly #reasons = new Map<string, Map<RolloutReason, number>>();
  readonly #shownVersions = new Map<string, string[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#nodes = new Gauge({
      name: 'careen_group_nodes',
      help: 'Nodes of a group by state; a node may be in several.',
      labelNames: ['group', 'state'],
      registers,
    });
    this.#versions = new Gauge({
      name: 'careen_group_version_nodes',
      help: 'Nodes of a group by the version that they run.',
      labelNames: ['group', 'version'],
      registers,
    });
    this.#held = new Gauge({
      name: 'careen_held_nodes',
      help: 'Nodes that are not given a version, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#rollouts = new Counter({
      name: 'careen_rollouts_total',
      help: 'Rollouts by how they ended.',
      labelNames: ['result'],
      registers,
    });
  }

  group(group: string, status: NodeGroupStatus): void {
    for (const state of STATES) this.#nodes.set({ group, state }, status[state]);
    this.#forgetVersions(group);
    const versions = status.versions ?? [];
    for (const { version, nodes } of versions) this.#versions.set({ group, version }, nodes);
    this.#shownVersions.set(
      group,
      versions.map(({ version }) => version),
    );
  }

  held(group: string, reasons: Iterable<RolloutReason>): void {
    const counts = new Map<RolloutReason, number>();
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    this.#reasons.set(group, counts);
    this.#showHeld();
  }

  ended(result: string): void {
    this.#rollouts.inc({ result });
  }

  forget(group: string): void {
    for (const state of STATES) this.#nodes.remove({ group, state });
    this.#forgetVersions(group);
    this.#reasons.delete(group);
    this.#showHeld();
  }

  #forgetVersions(group: string): void {
    for (const version of this.#shownVersions.get(group) ?? []) this.#versions.remove({ group, version });
    this.#shownVersions.delete(group);
  }

  #showHeld(): void {
    this.#held.reset();
    for (const counts of this.#reasons.values()) {
      for (const [reason, count] of counts) if (!isMoving(reason)) this.#held.inc({ reason }, count);
    }
  }
}

function isMoving(reason: RolloutReason): boolean {
  return reason === 'UpToDate' || reason === 'Offered';
}
