import { durationMs } from '#api/fields.ts';
import { CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { readyCondition, type Node } from '#api/meta.ts';
import type { Grant, Phase } from '#api/node-state.ts';
import { readMark, type CordonMark } from './cordon-mark.ts';

/** What decisions know of one Node and its NodeState; plain facts, no opinions. */
export interface NodeFacts {
  name: string;
  uid: string;
  resourceVersion: string;
  bootID: string;
  labels: Record<string, string>;
  /** `Silent`: the kubelet has stopped reporting. */
  ready: 'Ready' | 'NotReady' | 'Silent';
  /** How long the operator itself has seen this boot Ready without a break, on a clock that never jumps. */
  readyForMs: number;
  cordoned: boolean;
  /** Our cordon mark: when it was set, epoch milliseconds, and whether we took the cordon itself off for a grant. */
  mark?: CordonMark;
  keepCordoned: boolean;
  /** Absent: no agent has reported for this Node (a NodeState of another UID is not its own). */
  state?: StateFacts;
}

/** What the agent says and what it was told. */
export interface StateFacts {
  uid: string;
  resourceVersion: string;
  bootID: string;
  phase: Phase;
  requested: boolean;
  /** What it asks for. A drain ends in the boot that it began in. */
  kind: 'Reboot' | 'Drain';
  /** The grant that its configuration acts on, or acted on last. */
  accepted?: string | undefined;
  /** Its configuration is being changed, or is not confirmed yet. */
  configuring: boolean;
  reasons: readonly string[];
  /** Since when the node asks, epoch milliseconds. */
  since: number;
  version?: string | undefined;
  attempt: number;
  /** `gateMs`: how long the health gate of its first boot may take. */
  offered: { version?: string | undefined; attempt: number; gateMs?: number | undefined };
  grant?: Grant | undefined;
  notBefore?: number | undefined;
  hold?: { reason: string; message: string; since: string } | undefined;
}

/** Reads the facts out of a Node and, when it belongs to this very Node, its NodeState. */
export function nodeFacts(node: Node, state: NodeState | undefined, readyForMs: number): NodeFacts {
  const text = node.metadata.annotations?.[CORDON_ANNOTATION];
  const mark = text === undefined ? undefined : readMark(text);
  const own = state && belongsTo(state, node) ? stateFacts(state) : undefined;
  return {
    name: node.metadata.name,
    uid: node.metadata.uid ?? '',
    resourceVersion: node.metadata.resourceVersion ?? '',
    bootID: node.status?.nodeInfo?.bootID ?? '',
    labels: node.metadata.labels ?? {},
    ready: readiness(node),
    readyForMs,
    cordoned: node.spec?.unschedulable === true,
    keepCordoned: node.metadata.annotations?.[KEEP_CORDONED_ANNOTATION] !== undefined,
    ...(mark === undefined ? {} : { mark }),
    ...(own === undefined ? {} : { state: own }),
  };
}

function readiness(node: Node): NodeFacts['ready'] {
  const status = readyCondition(node)?.status;
  if (status === 'True') return 'Ready';
  return status === 'Unknown' ? 'Silent' : 'NotReady';
}

function belongsTo(state: NodeState, node: Node): boolean {
  const owner = state.metadata.ownerReferences?.find(({ kind }) => kind === 'Node');
  return owner !== undefined && owner.uid === node.metadata.uid;
}

function stateFacts({ metadata, spec, status }: NodeState): StateFacts {
  const { grant, notBefore, hold } = spec?.reboot ?? {};
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    bootID: status?.bootID ?? '',
    phase: status?.update?.phase ?? 'Idle',
    requested: status?.reboot?.requested ?? false,
    kind: status?.reboot?.kind ?? 'Reboot',
    accepted: status?.reboot?.accepted,
    configuring: ['Applying', 'Confirming'].includes(status?.config?.phase ?? 'Idle'),
    reasons: status?.reboot?.reasons ?? [],
    since: status?.reboot === undefined ? 0 : Date.parse(status.reboot.since),
    version: status?.update?.version,
    attempt: status?.update?.attempt ?? 0,
    offered: offered(spec?.update),
    grant,
    notBefore: notBefore === undefined ? undefined : Date.parse(notBefore),
    hold,
  };
}

function offered(update: NodeState['spec']['update']): StateFacts['offered'] {
  const { version, attempt = 0, health } = update ?? {};
  return { version, attempt, gateMs: health && durationMs(health.deadline) };
}

/** The grant that may still end the boot that runs now. Its expiry does not matter: the agent's clock may be slow. */
export function openGrant(node: NodeFacts): Grant | undefined {
  const grant = node.state?.grant;
  return grant?.nodeUID === node.uid && grant.bootID === node.bootID ? grant : undefined;
}

/** Whether the agent has reported at all; a NodeState that was deleted and made again is empty until it does. */
export function reported({ state }: NodeFacts): boolean {
  return state !== undefined && state.bootID !== '';
}

/** Past the point of no return: the agent accepted a grant, or its new boot is not judged yet. */
export function inFlight(node: NodeFacts): boolean {
  return ['Arming', 'Rebooting', 'Verifying'].includes(node.state?.phase ?? 'Idle') || acting(node);
}

/** The node's configuration acts on its grant: the request that the grant answers stands still. */
function acting({ state }: NodeFacts): boolean {
  const { grant, accepted, requested } = state ?? {};
  return grant !== undefined && accepted === grant.id && requested === true && answers(grant, state);
}

/**
 * Whether the grant is for the request that stands. Its id is `<the request>/<random>`, where a request is known by
 * when it began; no clock is asked, only whether the request is another one.
 */
function answers({ id }: Grant, state: StateFacts | undefined): boolean {
  const [request, random] = id.split('/');
  return random === undefined || request === String(state?.since);
}

/**
 * Whether the agent has asked anew since the grant was written: its reboot failed and the grant is spent, or
 * something else is wanted.
 */
export function asksAnew({ state }: NodeFacts, grant: Grant): boolean {
  return state?.requested === true && !answers(grant, state);
}

/** The node was drained, not rebooted, and its agent has said that it needs that no longer. */
export function drainIsOver(node: NodeFacts): boolean {
  const grant = openGrant(node);
  return grant?.mode === 'drain' && node.state?.accepted === grant.id && !node.state.requested;
}

/** Whether we have laid hands on the node, whatever the locks say: cordon mark, grant, or a grant accepted. */
export function begun(node: NodeFacts): boolean {
  const accepted = ['Arming', 'Rebooting'].includes(node.state?.phase ?? 'Idle');
  return node.mark !== undefined || openGrant(node) !== undefined || accepted;
}
