import type { NodeState } from '#api/kinds.ts';
import { isReady, type Node } from '#api/meta.ts';
import type { ConfigWorld } from './world.ts';

/** What the screen shows of a machine's configuration, drawn from the cluster's own objects and nothing else. */
export interface ConfiguredMachine {
  name: string;
  available: boolean;
  phase: string;
  /** First digits of what is in force. */
  inForce: string;
  /** First digits of what it should have. */
  wanted: string;
  drift: number;
  why: string;
}

export interface ConfigScene {
  chapter: string;
  elapsedMs: number;
  machines: ConfiguredMachine[];
  /** A line for each NodeConfig. */
  configs: string[];
  unavailable: { now: number; worst: number };
}

export function configuredMachines(
  { nodes, states }: ConfigWorld,
  names: readonly string[],
): ConfiguredMachine[] {
  return names.map((name) => {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    return machineOf(
      name,
      node,
      states.find(({ metadata }) => metadata.name === name),
    );
  });
}

function machineOf(name: string, node: Node | undefined, state: NodeState | undefined): ConfiguredMachine {
  const { config: wanted } = state?.spec ?? {};
  const { config: found } = state?.status ?? {};
  return {
    name,
    available: node !== undefined && isReady(node) && node.spec?.unschedulable !== true,
    phase: found?.phase ?? '–',
    inForce: found?.applied?.slice(0, 7) ?? '–',
    wanted: wanted?.hash?.slice(0, 7) ?? '–',
    drift: found?.drift?.filter(({ healed }) => !healed).length ?? 0,
    why: whyOf(node, state),
  };
}

function whyOf(node: Node | undefined, state: NodeState | undefined): string {
  if (node === undefined || !isReady(node)) return 'not Ready';
  const { error, hash } = state?.status?.config ?? {};
  const { hold, hash: wanted } = state?.spec.config ?? {};
  if (error !== undefined && (hash === wanted || hold === undefined))
    return `${error.code}: ${error.message}`;
  return hold === undefined ? '' : `${hold.reason}: ${hold.message}`;
}

export function configLines({ configs }: ConfigWorld): string[] {
  return configs.map(({ metadata, status }) => {
    const { total = 0, upToDate = 0, failed = 0, rollout } = status ?? {};
    const halted = rollout?.halted === undefined ? '' : ` · halted: ${rollout.halted.reason}`;
    const trouble = failed === 0 ? '' : `, failed on ${failed}`;
    return `${metadata.name}: ${upToDate} of ${total} nodes have it${trouble}${halted}`;
  });
}
