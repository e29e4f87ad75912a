import { resourcePath } from '#api/group.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { NodeConfigStatus } from '#api/node-config.ts';
import { StatusPace } from '#operators/rollout/status-pace.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { EventRecorder } from '#runtime/events/recorder.ts';
import type { Latest } from '#runtime/informer/latest.ts';
import { announcements } from './announcements.ts';
import { invalidConditions } from './config-conditions.ts';
import type { ConfigMetrics } from './config-metrics.ts';
import { statusChange } from './status-change.ts';

export interface StatusTellerOptions {
  client: KubeClient;
  configs: Latest<NodeConfig>;
  events: Pick<EventRecorder, 'event'>;
  metrics: ConfigMetrics;
  /** ms since the epoch. */
  now: () => number;
}

/** Tells how NodeConfigs stand: in their status, at a bearable pace, in events and in metrics. */
export class StatusTeller {
  readonly #options: StatusTellerOptions;
  readonly #pace = new StatusPace();
  #known = new Set<string>();

  constructor(options: StatusTellerOptions) {
    this.#options = options;
  }

  /** Forgets every other config. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#known) {
      if (names.has(name)) continue;
      this.#pace.forget(name);
      this.#options.metrics.forget(name);
    }
    this.#known = new Set(names);
  }

  /** Writes the status if it is due; returns in how many ms it will be, when it is not yet. */
  async tell(object: NodeConfig, status: NodeConfigStatus, signal: AbortSignal): Promise<number | undefined> {
    const { name } = object.metadata;
    const { metrics, now } = this.#options;
    metrics.config(name, status);
    const waitMs = this.#pace.waitMs(name, statusChange(object.status, status), now());
    if (waitMs === undefined || waitMs > 0) return waitMs;
    await this.#write(object, status, signal);
    return undefined;
  }

  /** Tells of a config that cannot be read. */
  async refuse(object: NodeConfig, invalid: string, signal: AbortSignal): Promise<void> {
    const now = new Date(this.#options.now()).toISOString();
    const { generation = 0 } = object.metadata;
    const conditions = invalidConditions(invalid, object.status?.conditions, generation, now);
    const status = { ...object.status, observedGeneration: generation, conditions } as NodeConfigStatus;
    if (statusChange(object.status, status) !== 'none') await this.#write(object, status, signal);
  }

  async #write(object: NodeConfig, status: NodeConfigStatus, signal: AbortSignal): Promise<void> {
    const { client, configs, events, metrics, now } = this.#options;
    const { name } = object.metadata;
    // With the resource version that was read: a status that another replica wrote meanwhile is not overwritten.
    const path = `${resourcePath('NodeConfig', name)}/status`;
    configs.wrote(await client.replace<NodeConfig>(path, { ...object, status }, undefined, { signal }));
    this.#pace.wrote(name, now());
    for (const { type, reason, message, result } of announcements(object.status, status)) {
      events.event(object, type, reason, message);
      if (result !== undefined) metrics.ended(result);
    }
  }
}
