import type { ConfigPhase } from '#api/config-errors.ts';
import type { NodeConfigSpec } from '#api/node-config.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import type { ConfigStatus, ConfigWanted } from '#api/node-config-state.ts';
import { wantedConfig } from '../state/wanted-config.ts';
import type { NodeFacts, Target } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import { planRollouts } from '../rollout/plan.ts';
import type { RolloutStatus } from '../rollout/rollout.ts';

/** A NodeConfig of the simulation: which version of itself it is at, and how that is rolled out. */
export interface SimulatedConfig {
  name: string;
  version: number;
  spec: Pick<NodeConfigSpec, 'confirm' | 'paused' | 'rollout'>;
  previous?: RolloutStatus | undefined;
}

export interface SimulatedNode {
  name: string;
  labels: Record<string, string>;
  heard: boolean;
  configs: readonly string[];
  /** Versions, as `config@version`, that fail on this node. */
  bad: ReadonlySet<string>;
  wanted: ConfigWanted;
  status: ConfigStatus | undefined;
}

export function policyOf(rollout: object = {}, paused = false): SimulatedConfig['spec'] {
  const spec = nodeConfigSpec.parse({ nodeSelector: {}, rollout });
  return { paused, rollout: spec.rollout, confirm: spec.confirm };
}

/** Nodes and NodeConfigs without API server and disks: every plan is carried out at once. Hashes are readable. */
export class SimulatedNodes {
  now = Date.parse('2026-11-21T00:00:00Z');
  readonly configs: SimulatedConfig[];
  readonly nodes: SimulatedNode[];
  /** Writes of a node's spec. */
  writes = 0;

  constructor(configs: SimulatedConfig[], nodes: Pick<SimulatedNode, 'name' | 'configs' | 'bad'>[]) {
    this.configs = configs;
    this.nodes = nodes.map((node) => ({
      labels: {},
      heard: true,
      wanted: {},
      status: { phase: 'Idle', since: this.#iso() },
      ...node,
    }));
  }

  facts(): NodeFacts[] {
    return this.nodes.map((node) => ({ ...node, target: this.targetOf(node) }));
  }

  /** Plans, and writes what comes out: statuses, then nodes. */
  reconcile(settled = true): Plan {
    const nodes = this.facts();
    const configs = this.configs.map((one) => ({
      name: one.name,
      spec: one.spec,
      hash: `${one.name}@${one.version}`,
      previous: one.previous,
    }));
    const plan = planRollouts({ configs, nodes, now: this.now });
    for (const config of this.configs) config.previous = plan.rollouts.get(config.name)?.status;
    for (const [index, facts] of nodes.entries()) {
      const node = this.nodes[index];
      const assignment = plan.assignments.get(facts.name);
      if (node === undefined || assignment === undefined) throw new Error(`no answer for ${facts.name}`);
      const next = wantedConfig(facts, assignment, { settled, now: this.#iso() });
      if (next !== node.wanted) this.writes += 1;
      node.wanted = next;
    }
    return plan;
  }

  /** What the node's agent does next. False: nothing. */
  step(node: SimulatedNode): boolean {
    const { wanted, status } = node;
    if (!node.heard) return false;
    const { hash, apply } = wanted;
    if (hash === undefined) {
      if (status?.applied === undefined && status?.phase === 'Idle') return false;
      node.status = { phase: 'Idle', since: this.#iso() };
      return true;
    }
    if (status?.phase === 'Applying') return this.#end(node, status.hash ?? hash);
    if (status?.hash !== hash) {
      if (status?.applied === hash && apply === true) return this.#say(node, 'Applied', hash);
      return this.#say(node, apply === true ? 'Applying' : 'Planned', hash);
    }
    return status.phase === 'Planned' && apply === true ? this.#say(node, 'Applying', hash) : false;
  }

  targetOf(node: SimulatedNode): Target {
    if (node.configs.length === 0) return { kind: 'none' };
    const parts = this.configs
      .filter(({ name }) => node.configs.includes(name))
      .map(({ name, version }) => `${name}@${version}`);
    const hash = parts.join('+');
    const inForce = new Set(node.status?.applied?.split('+') ?? []);
    const changed = parts.filter((part) => !inForce.has(part));
    const differs = node.status?.applied === hash ? [] : changed.length === 0 ? parts : changed;
    return { kind: 'config', rendered: hash, hash, configs: namesOf(parts), differs: namesOf(differs) };
  }

  #end(node: SimulatedNode, hash: string): boolean {
    const isBad = hash.split('+').some((part) => node.bad.has(part));
    if (isBad) return this.#say(node, 'Reverted', hash);
    this.#say(node, 'Applied', hash);
    node.status = { ...node.status, applied: hash } as ConfigStatus;
    return true;
  }

  #say(node: SimulatedNode, phase: ConfigPhase, hash: string): boolean {
    const applied = node.status?.applied;
    const plan = { hash: `plan-${hash}`, changes: [], more: 0, actions: [], drains: false, reboots: false };
    node.status = { phase, hash, plan, since: this.#iso(), ...(applied === undefined ? {} : { applied }) };
    return true;
  }

  #iso(): string {
    return new Date(this.now).toISOString();
  }
}

function namesOf(parts: readonly string[]): string[] {
  return parts.map((part) => part.split('@')[0] ?? '');
}
