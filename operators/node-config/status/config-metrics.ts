import { Counter, Gauge, type Registry } from 'prom-client';
import type { NodeConfigStatus } from '#api/node-config.ts';
import type { ConfigReason } from '#api/reasons.ts';

const STATES = ['total', 'upToDate', 'planned', 'applying', 'failed', 'drifted', 'conflicted'] as const;

/** Gauges of what NodeConfigs report, and the count of rollouts that ended. One that is gone leaves no series. */
export class ConfigMetrics {
  readonly #nodes: Gauge<'config' | 'state'>;
  readonly #held: Gauge<'reason'>;
  readonly #rollouts: Counter<'result'>;
  readonly #planSeconds: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#nodes = new Gauge({
      name: 'careen_config_nodes',
      help: 'Nodes of a NodeConfig by state; a node may be in several.',
      labelNames: ['config', 'state'],
      registers,
    });
    this.#held = new Gauge({
      name: 'careen_config_held_nodes',
      help: 'Nodes that are not told to apply what they should have, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#rollouts = new Counter({
      name: 'careen_config_rollouts_total',
      help: 'Rollouts of configurations by how they ended.',
      labelNames: ['result'],
      registers,
    });
    this.#planSeconds = new Gauge({
      name: 'careen_config_plan_seconds',
      help: 'How long the last plan over all nodes took.',
      registers,
    });
  }

  config(config: string, status: NodeConfigStatus): void {
    for (const state of STATES) this.#nodes.set({ config, state }, status[state]);
  }

  forget(config: string): void {
    for (const state of STATES) this.#nodes.remove({ config, state });
  }

  held(reasons: Iterable<ConfigReason>): void {
    this.#held.reset();
    for (const reason of reasons)
      if (reason !== 'UpToDate' && reason !== 'Offered') this.#held.inc({ reason });
  }

  ended(result: string): void {
    this.#rollouts.inc({ result });
  }

  planned(seconds: number): void {
    this.#planSeconds.set(seconds);
  }
}
