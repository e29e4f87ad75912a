import { resourcePath } from '#api/group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import type { NodeGroupStatus } from '#api/node-group.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { EventRecorder } from '#runtime/events/recorder.ts';
import type { World } from '../world.ts';
import { announcements } from './announcements.ts';
import { invalidConditions } from './group-conditions.ts';
import type { GroupMetrics } from './group-metrics.ts';
import { groupStatus } from './group-status.ts';
import type { Round } from './round.ts';
import { statusChange } from './status-change.ts';
import { StatusPace } from '#operators/rollout/status-pace.ts';

export interface StatusTellerOptions {
  client: KubeClient;
  world: World;
  events: Pick<EventRecorder, 'event'>;
  metrics: GroupMetrics;
  /** ms since the epoch. */
  now: () => number;
}

/** Tells how a group stands: in its status, at a bearable pace, in events and in metrics. */
export class StatusTeller {
  readonly #options: StatusTellerOptions;
  readonly #pace = new StatusPace();

  constructor(options: StatusTellerOptions) {
    this.#options = options;
  }

  /** The group is gone. */
  forget(name: string): void {
    this.#pace.forget(name);
    this.#options.metrics.forget(name);
  }

  /** Writes the status if it is due; returns in how many ms it will be, when it is not yet. */
  async tell(round: Round, signal: AbortSignal): Promise<number | undefined> {
    const { world, metrics } = this.#options;
    const { object, plan } = round;
    const { name } = object.metadata;
    const asked = new Map(round.changes.map(({ node, next }) => [node.name, next]));
    const status = groupStatus({
      object,
      policy: round.spec.update,
      plan,
      machines: round.counts,
      nodes: round.nodes.map(({ facts }) => ({ ...facts, wanted: asked.get(facts.name) ?? facts.wanted })),
      conflicts: world.membership.conflicts(name),
      now: new Date(round.now).toISOString(),
    });
    metrics.group(name, status);
    const reasons = [...plan.assignments.values()].map(({ verdict }) => verdict.reason);
    metrics.held(name, reasons);
    const waitMs = this.#pace.waitMs(name, statusChange(object.status, status), round.now);
    if (waitMs === undefined || waitMs > 0) return waitMs;
    await this.#write(object, status, signal);
    return undefined;
  }

  /** Tells of a group that cannot be read. */
  async refuse(object: NodeGroup, invalid: string, signal: AbortSignal): Promise<undefined> {
    const now = new Date(this.#options.now()).toISOString();
    const generation = object.metadata.generation ?? 0;
    const before = object.status?.conditions;
    const conditions = invalidConditions(invalid, before, generation, now);
    const status = { ...object.status, observedGeneration: generation, conditions } as NodeGroupStatus;
    if (statusChange(object.status, status) !== 'none') await this.#write(object, status, signal);
  }

  async #write(object: NodeGroup, status: NodeGroupStatus, signal: AbortSignal): Promise<void> {
    const { client, world, events, metrics, now } = this.#options;
    const { name } = object.metadata;
    // With the resource version that was read: a status that another replica wrote meanwhile is not overwritten.
    const path = `${resourcePath('NodeGroup', name)}/status`;
    world.groups.wrote(await client.replace<NodeGroup>(path, { ...object, status }, undefined, { signal }));
    this.#pace.wrote(name, now());
    for (const { type, reason, message, result } of announcements(object.status, status)) {
      events.event(object, type, reason, message);
      if (result !== undefined) metrics.ended(result);
    }
  }
}
