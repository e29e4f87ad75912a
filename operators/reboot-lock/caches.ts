import { resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState, RebootLock, RebootWindow } from '#api/kinds.ts';
import type { KubeObject, Node } from '#api/meta.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { Informers } from '#runtime/informer/informers.ts';
import type { OperatorContext } from '#runtime/operator/operator.ts';
import { ourConditions } from './condition/condition.ts';
import type { Caches } from './cluster/view.ts';

/** Who is called when an object of a kind changed. Nothing is called about changes that no decision looks at. */
export interface Changes {
  node(name: string, node: Node): void;
  state(name: string): void;
  group(name: string): void;
  lock(name: string): void;
  window(name: string): void;
}

/** The five watches that decisions stand on. Pods are not among them: they are listed by node while one drains. */
export class WatchedCaches implements Caches {
  readonly node: Informer<Node>;
  readonly state: Informer<NodeState>;
  readonly group: Informer<NodeGroup>;
  readonly lock: Informer<RebootLock>;
  readonly window: Informer<RebootWindow>;

  readonly #informers: Informers;

  /** A watch that was not heard of for longer than `oldestMs` is not decided from. */
  constructor({ client, log, metrics }: OperatorContext, changes: Changes, oldestMs: number) {
    const base = { client, log, metrics };
    const seen = new Seen();
    this.node = new Informer<Node>({
      ...base,
      path: '/api/v1/nodes',
      strip: stripNode,
      // The kubelet's heartbeats change nothing that matters here.
      onChange: (name, node) => {
        if (seen.differs(`node/${name}`, node, this.node.get(name))) changes.node(name, node);
      },
    });
    this.state = new Informer<NodeState>({
      ...base,
      path: resourcePath('NodeState'),
      strip: stripState,
      onChange: (name, state) => {
        if (seen.differs(`state/${name}`, state, this.state.get(name))) changes.state(name);
      },
    });
    this.group = new Informer<NodeGroup>({
      ...base,
      path: resourcePath('NodeGroup'),
      onChange: (n) => changes.group(n),
    });
    this.lock = new Informer<RebootLock>({
      ...base,
      path: resourcePath('RebootLock'),
      onChange: (n) => changes.lock(n),
    });
    this.window = new Informer<RebootWindow>({
      ...base,
      path: resourcePath('RebootWindow'),
      onChange: (n) => changes.window(n),
    });
    const all = [this.node, this.state, this.group, this.lock, this.window];
    this.#informers = new Informers(all, oldestMs);
  }

  start({ health }: Pick<OperatorContext, 'health'>): void {
    this.#informers.start(health);
  }

  synced(signal: AbortSignal): Promise<void> {
    return this.#informers.synced(signal);
  }

  stop(): Promise<void> {
    return this.#informers.stop();
  }

  nodes(): readonly Node[] {
    return this.node.list();
  }

  states(): readonly NodeState[] {
    return this.state.list();
  }

  groups(): readonly NodeGroup[] {
    return this.group.list();
  }

  locks(): readonly RebootLock[] {
    return this.lock.list();
  }

  windows(): readonly RebootWindow[] {
    return this.window.list();
  }

  stale(): string | undefined {
    return this.#informers.stale();
  }
}

/** Tells changes that matter from those that only touch timestamps and versions. */
class Seen {
  readonly #last = new Map<string, string>();

  /** `cached` is undefined when the object is gone. */
  differs(key: string, { metadata, ...rest }: KubeObject, cached: KubeObject | undefined): boolean {
    if (cached === undefined) {
      this.#last.delete(key);
      return true;
    }
    const { uid, labels, annotations, deletionTimestamp } = metadata;
    const now = JSON.stringify([uid, labels, annotations, deletionTimestamp, rest]);
    if (this.#last.get(key) === now) return false;
    this.#last.set(key, now);
    return true;
  }
}

/** Keeps what nodeFacts reads; a Node carries kilobytes of image names besides. */
export function stripNode(node: Node): Node {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const { name, uid = '', resourceVersion = '', labels = {}, annotations = {} } = node.metadata;
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith('careen.dev/'));
  const bootID = node.status?.nodeInfo?.bootID ?? '';
  return {
    metadata: { name, uid, resourceVersion, labels, annotations: Object.fromEntries(ours) },
    spec: { unschedulable: node.spec?.unschedulable === true },
    status: {
      nodeInfo: { bootID },
      conditions: [...(ready === undefined ? [] : [bare(ready)]), ...ourConditions(node)],
    },
  };
}

function bare({
  type,
  status,
  lastTransitionTime = '',
}: NonNullable<NonNullable<Node['status']>['conditions']>[number]) {
  return { type, status, lastTransitionTime };
}

/** Keeps what nodeFacts reads; slots, history and progress are of no interest here. */
export function stripState(object: NodeState): NodeState {
  const { spec, status, metadata } = object;
  const { version, attempt, health } = spec?.update ?? {};
  const update = {
    ...(version === undefined ? {} : { version }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(health === undefined ? {} : { health: { deadline: health.deadline, checks: [] } }),
  };
  const { bootID, reboot, config } = status ?? {};
  const phase = status?.update && { ...status.update, progress: undefined, error: undefined };
  return {
    ...object,
    metadata,
    spec: { update, ...(spec?.reboot === undefined ? {} : { reboot: spec.reboot }) },
    status: {
      bootID,
      reboot,
      update: phase,
      ...(config === undefined ? {} : { config: { phase: config.phase, since: config.since } }),
    },
  };
}
