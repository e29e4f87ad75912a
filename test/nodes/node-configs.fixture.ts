import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState } from '#api/kinds.ts';
import { isReady } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import type { Sight } from './sights.fixture.ts';
import type { Witness } from './witness.fixture.ts';

type Report = NonNullable<NonNullable<NodeState['status']>['config']>;

/** Probes take a few seconds; what does not hold is undone soon. */
export const QUICK = { timeout: '10s', settle: '2s' };
/** For what restarts much on a node: it is to stay, however busy the computer is. */
export const PATIENT = { ...QUICK, timeout: '5m' };
const WITHIN_MS = 360_000;

/** NodeConfigs of a test, and what nodes make of them. */
export class NodeConfigs {
  readonly #witness: Witness;

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  async apply(name: string, spec: object): Promise<void> {
    const body = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeConfig', metadata: { name } };
    await this.#witness.stack.apply([{ ...body, spec: { confirm: QUICK, ...spec } }]);
  }

  /** From now on what fails beside it is undone soon: of several configs the longest time to confirm counts. */
  async hasten(name: string): Promise<void> {
    await this.#witness.stack.client.mergePatch(resourcePath('NodeConfig', name), {
      spec: { confirm: QUICK },
    });
    await this.inForce(name);
  }

  async remove(name: string): Promise<void> {
    await this.#witness.stack.client.delete(resourcePath('NodeConfig', name));
  }

  /** Resolves when every node that it selects has it in force. */
  async inForce(name: string): Promise<void> {
    await this.#told(name, 'in force everywhere', ({ status }) =>
      Boolean(status && status.total > 0 && status.upToDate === status.total),
    );
  }

  /** The nodes that its rollout has halted for. */
  async halted(name: string): Promise<string[]> {
    const config = await this.#told(name, 'halted', ({ status }) => status?.rollout?.halted !== undefined);
    return config.status?.rollout?.halted?.nodes ?? [];
  }

  /** What a Ready node says of its configuration, as soon as that holds. */
  async report(node: string, what: string, holds: (report: Report) => boolean): Promise<Report> {
    const fits = ({ name, node: itself, state }: Sight) => {
      const { config } = state.status ?? {};
      return name === node && isReady(itself) && config !== undefined && holds(config);
    };
    const { state } = await this.#witness.sights
      .when(`the configuration of ${node} is ${what}`, fits, WITHIN_MS)
      .catch((cause: unknown) => {
        const { spec, status } = this.#witness.sights.of(node)?.state ?? {};
        throw new Error(`${node}: ${JSON.stringify([spec?.config, status?.config])}`, { cause });
      });
    return state.status!.config!;
  }

  async #told(name: string, what: string, holds: (config: NodeConfig) => boolean): Promise<NodeConfig> {
    let last: NodeConfig | undefined;
    const look = async () => {
      last = await this.#witness.stack.client.get<NodeConfig>(resourcePath('NodeConfig', name));
      return last.status?.observedGeneration === last.metadata.generation && holds(last);
    };
    const often = { timeoutMs: WITHIN_MS, everyMs: 250 };
    await until(`NodeConfig ${name} is ${what}`, look, often).catch((cause: unknown) => {
      const reports = this.#witness.sights.all.map(({ state }) => state.status?.config);
      throw new Error(JSON.stringify([last?.status, reports]), { cause });
    });
    return last!;
  }
}
