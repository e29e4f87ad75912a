import type { ConfigStatus, ConfigWanted } from '#api/node-config-state.ts';
import type { ConfigReason, Verdict } from '#api/reasons.ts';

/** What a node should have. */
export type Target =
  /** This bundle. */
  | {
      kind: 'config';
      /** Name of the RenderedConfig. */
      rendered: string;
      /** Of the node's bundle. */
      hash: string;
      /** The NodeConfigs that it is made of. */
      configs: readonly string[];
      /** Those of them that are not in force on the node as they are now; empty where `hash` is in force. */
      differs: readonly string[];
    }
  /** Nothing: no NodeConfig selects it. */
  | { kind: 'none' }
  /** It cannot be said; the node keeps what it has. */
  | { kind: 'obstacle'; verdict: Verdict<ConfigReason>; configs: readonly string[] };

/** Everything about one node that rollouts are planned from. */
export interface NodeFacts {
  name: string;
  labels: Record<string, string>;
  /** The node is Ready and its agent has reported in this boot. */
  heard: boolean;
  /** What was asked of the node so far; empty when nothing was. */
  wanted: ConfigWanted;
  /** What its agent reports of its configuration; undefined until it has. */
  status: ConfigStatus | undefined;
  target: Target;
}

const FAILED = new Set(['Failed', 'Reverted', 'Degraded']);
const BEGUN = new Set(['Applying', 'Confirming']);

export function isInForce({ target, status }: NodeFacts): boolean {
  return target.kind === 'config' && status?.applied === target.hash;
}

/** Whether what the node should have was tried there, and failed or was undone. */
export function hasFailed(node: NodeFacts): boolean {
  return !isInForce(node) && isAbout(node) && FAILED.has(node.status?.phase ?? 'Idle');
}

/** Whether the node changes itself now; it comes to an end whatever is asked of it. */
export function hasBegun(node: NodeFacts): boolean {
  return isAbout(node) && BEGUN.has(node.status?.phase ?? 'Idle');
}

/** Whether the node was told to apply what it should have, and has not come to an end with it. */
export function isTold(node: NodeFacts): boolean {
  const { wanted, target } = node;
  const isAsked = target.kind === 'config' && wanted.hash === target.hash && wanted.apply === true;
  return (isAsked || hasBegun(node)) && !isInForce(node) && !hasFailed(node);
}

/** Beyond the time in which a host undoes by itself what was not confirmed, for a node to boot and report. */
const LOST_AFTER_MS = 15 * 60_000;

/**
 * When a node that was told to apply the change, and is not heard of, counts as lost, in ms since the epoch; undefined
 * while it is heard of. It may be silent because of the very change, and never come back.
 */
export function lostAt(node: NodeFacts, confirmMs: number): number | undefined {
  const { hold } = node.wanted;
  if (hold?.reason !== 'AgentSilent' || (node.heard && node.status !== undefined)) return undefined;
  return isTold(node) ? Date.parse(hold.since) + confirmMs + LOST_AFTER_MS : undefined;
}

/** What the node says that the change would do, or did. */
export function planOf(node: NodeFacts): ConfigStatus['plan'] {
  return isAbout(node) ? node.status?.plan : undefined;
}

/** Whether the node's report speaks of what it should have now. */
function isAbout({ target, status }: NodeFacts): boolean {
  return target.kind === 'config' && status?.hash === target.hash;
}
