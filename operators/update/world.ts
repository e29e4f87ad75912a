import { resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState, RebootWindow, UpdateChannel } from '#api/kinds.ts';
import type { KubeObject, Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { Informer } from '#runtime/informer/informer.ts';
import type { InformerOptions } from '#runtime/informer/informer.ts';
import { Informers } from '#runtime/informer/informers.ts';
import { News } from '#runtime/informer/news.ts';
import { MembershipIndex } from './group/membership-index.ts';
import type { ClusterNode } from './omaha/decide/choose-service.ts';
import { Latest } from '#runtime/informer/latest.ts';

/** What changed, in terms of what has to be looked at again. */
export interface Interest {
  group(name: string): void;
  channel(name: string): void;
  /** A node that may be in no group. */
  node(name: string): void;
}

type Shared = Pick<InformerOptions<KubeObject>, 'log' | 'metrics'>;

/** The caches that this operator decides from, and who is to look when something in them changes. */
export class World {
  readonly nodes: Informer<Node>;
  readonly groups: Latest<NodeGroup>;
  readonly channels: Latest<UpdateChannel>;
  readonly states: Latest<NodeState>;
  readonly windows: Informer<RebootWindow>;
  readonly informers: Informers;
  readonly membership = new MembershipIndex();
  /** Set while this process leads. */
  interest: Interest | undefined;

  readonly #groups: Informer<NodeGroup>;
  readonly #channels: Informer<UpdateChannel>;
  readonly #states: Informer<NodeState>;
  readonly #news = new News();

  /** The node with a machine id, by what its agent reported. */
  readonly #machineNodes = new Map<string, string>();
  readonly #machineIDs = new Map<string, string>();

  constructor(client: KubeClient, { log, metrics }: Shared) {
    const shared = { client, log, metrics };
    this.nodes = new Informer<Node>({
      ...shared,
      path: '/api/v1/nodes',
      strip: stripNode,
      onChange: (name) => this.#nodeChanged(name),
    });
    this.#groups = new Informer<NodeGroup>({
      ...shared,
      path: resourcePath('NodeGroup'),
      onChange: (name) => this.#groupChanged(name),
    });
    this.#channels = new Informer<UpdateChannel>({
      ...shared,
      path: resourcePath('UpdateChannel'),
      onChange: (name) => this.#channelChanged(name),
    });
    this.#states = new Informer<NodeState>({
      ...shared,
      path: resourcePath('NodeState'),
      strip: stripState,
      onChange: (name) => this.#stateChanged(name),
    });
    this.windows = new Informer<RebootWindow>({
      ...shared,
      path: resourcePath('RebootWindow'),
      onChange: (name) => this.#windowChanged(name),
    });
    this.groups = new Latest(this.#groups);
    this.channels = new Latest(this.#channels);
    this.states = new Latest(this.#states);
    this.informers = new Informers([this.nodes, this.#groups, this.#channels, this.#states, this.windows]);
  }

  /** Every group as it is known now. */
  groupList(): NodeGroup[] {
    return this.#groups.list().map((group) => this.groups.get(group.metadata.name) ?? group);
  }

  /** The node whose machine id this is, as the Omaha endpoint sees it. */
  machineNode(machineID: string): ClusterNode | undefined {
    const name = this.#machineNodes.get(machineID);
    const node = name === undefined ? undefined : this.nodes.get(name);
    if (name === undefined || node === undefined) return undefined;
    const membership = this.membership.of(name);
    const group = membership.in === 'group' ? membership.group : undefined;
    const hasAgent = this.states.get(name)?.status?.engine === 'gpt';
    return { name, labels: node.metadata.labels ?? {}, group, hasAgent };
  }

  /** Has everything looked at once. */
  lookAtAll(): void {
    for (const { metadata } of this.#channels.list()) this.interest?.channel(metadata.name);
    for (const { metadata } of this.#groups.list()) this.interest?.group(metadata.name);
    for (const { metadata } of this.nodes.list()) this.interest?.node(metadata.name);
  }

  #nodeChanged(name: string): void {
    const node = this.nodes.get(name);
    if (!this.#news.isNews(`node/${name}`, node && { ...node, metadata: identity(node) })) return;
    const groups = this.membership.setNode(
      name,
      node === undefined ? undefined : (node.metadata.labels ?? {}),
    );
    for (const group of groups) this.interest?.group(group);
    this.interest?.node(name);
  }

  #groupChanged(name: string): void {
    this.groups.seen(name);
    this.interest?.group(name);
    const object = this.#groups.get(name);
    const { generation, deletionTimestamp } = object?.metadata ?? {};
    if (!this.#news.isNews(`group/${name}`, object && [object.metadata.uid, generation, deletionTimestamp]))
      return;
    const touched = this.membership.setGroups(this.#groups.list().filter(isAlive));
    for (const group of touched.groups) this.interest?.group(group);
    for (const node of touched.nodes) this.interest?.node(node);
  }

  #channelChanged(name: string): void {
    this.channels.seen(name);
    this.interest?.channel(name);
    for (const group of this.#groups.list()) {
      if (group.spec.update?.channel === name) this.interest?.group(group.metadata.name);
    }
  }

  #windowChanged(name: string): void {
    for (const group of this.#groups.list()) {
      if (group.spec.update?.rollout?.windows?.includes(name)) this.interest?.group(group.metadata.name);
    }
  }

  #noteMachine(name: string, machineID: string | undefined): void {
    const before = this.#machineIDs.get(name);
    if (before === machineID) return;
    if (before !== undefined && this.#machineNodes.get(before) === name) this.#machineNodes.delete(before);
    if (machineID === undefined) this.#machineIDs.delete(name);
    else {
      this.#machineIDs.set(name, machineID);
      this.#machineNodes.set(machineID, name);
    }
  }

  #stateChanged(name: string): void {
    this.states.seen(name);
    const state = this.#states.get(name);
    this.#noteMachine(name, state?.status?.machineID);
    if (!this.#news.isNews(`state/${name}`, state && [state.metadata.uid, state.spec?.update, state.status]))
      return;
    const membership = this.membership.of(name);
    if (membership.in === 'group') this.interest?.group(membership.group);
    else this.interest?.node(name);
  }
}

function identity({ metadata: { name, uid, labels } }: Node) {
  return { name, uid, labels };
}

function isAlive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** Nodes are large and change often; of all that, these few fields are decided from. */
function stripNode(node: Node): Node {
  const { name, uid, labels, resourceVersion } = node.metadata;
  const ready = (node.status?.conditions ?? []).filter(({ type }) => type === 'Ready');
  const bootID = node.status?.nodeInfo?.bootID;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      ...(uid === undefined ? {} : { uid }),
      ...(labels === undefined ? {} : { labels }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    ...(node.spec?.unschedulable === true ? { spec: { unschedulable: true } } : {}),
    status: {
      conditions: ready.map(({ type, status }) => ({ type, status })),
      nodeInfo: bootID === undefined ? {} : { bootID },
    },
  };
}

/** Progress comes every few seconds and decides nothing. */
function stripState(state: NodeState): NodeState {
  if (state.status === undefined) return state;
  const { slots: _slots, health: _health, lastReport: _lastReport, update, ...status } = state.status;
  if (update === undefined) return { ...state, status };
  const { progress: _progress, ...rest } = update;
  return { ...state, status: { ...status, update: rest } };
}
