import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { isReady } from '#api/meta.ts';
import type { NodeStateSpec, NodeStateStatus } from '#api/node-state.ts';

/** `NodeState.spec.update`: what this operator wants of a node. */
export type WantedUpdate = NonNullable<NodeStateSpec['update']>;

/** Everything about one node that a rollout is planned from. */
export interface NodeFacts {
  name: string;
  labels: Record<string, string>;
  /** The kubelet reports the node Ready. */
  ready: boolean;
  /** Somebody keeps pods from it, as before each reboot. */
  cordoned: boolean;
  /** The boot that the kubelet reports. */
  bootID: string | undefined;
  /** What was asked of the node so far; empty when nothing was. */
  wanted: WantedUpdate;
  /** What its agent reports; undefined until it has. */
  status: NodeStateStatus | undefined;
}

export function readFacts(node: Node, state: NodeState | undefined): NodeFacts {
  return {
    name: node.metadata.name,
    labels: node.metadata.labels ?? {},
    ready: isReady(node),
    cordoned: node.spec?.unschedulable === true,
    bootID: node.status?.nodeInfo?.bootID,
    wanted: state?.spec?.update ?? {},
    status: state?.status,
  };
}

/** The version that runs, or undefined while the agent has never said. */
export function runningVersion(node: NodeFacts): string | undefined {
  return node.status?.os?.version;
}

/**
 * Whether the node is heard of: Ready, and its agent's last report is of the boot that runs now. The agent
 * writes only what changes, so a report has no age; its boot ID says whether it is of today.
 */
export function isHeard(node: NodeFacts): boolean {
  return node.ready && node.bootID !== undefined && node.status?.bootID === node.bootID;
}
