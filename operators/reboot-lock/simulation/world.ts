import { CORDON_ANNOTATION } from '#api/group.ts';
import type { NodeGroup, NodeState, RebootLock, RebootWindow } from '#api/kinds.ts';
import type { KubeObject, Node, Pod } from '#api/meta.ts';
import type { Holder, RebootLockSpec } from '#api/reboot-lock.ts';
import { KubeError } from '#runtime/client/error.ts';
import type { RebootSpec, Version } from '../cluster/cluster.ts';

/** The API server and the machines of a simulated cluster. All changes are atomic and numbered, as in etcd. */
export class World {
  /** Epoch milliseconds; jumps when the test wants it to. */
  now = Date.parse('2026-11-21T10:00:00Z');
  /** Milliseconds since the start; never jumps. */
  monotonic = 0;
  step = 0;
  /** How many were asked for. */
  evictions = 0;
  readonly nodes = new Map<string, Node>();
  readonly states = new Map<string, NodeState>();
  readonly locks = new Map<string, RebootLock>();
  readonly groups: NodeGroup[] = [];
  readonly windows: RebootWindow[] = [];
  readonly pods = new Map<string, Pod[]>();
  /** Pods of the operator that the scheduler has found no node for yet. */
  readonly pending: Pod[] = [];
  /** Throws what the Eviction API would. */
  mayEvict: (pod: Pod) => void = () => undefined;
  /** Nodes that a person wants cordoned. */
  readonly foreign = new Set<string>();
  /** The step at which each node went down for a reason other than its place. */
  readonly downAt = new Map<string, number>();
  /** Grows with every change. */
  version = 0;

  addNode(name: string, labels: Record<string, string>): void {
    const uid = `uid-${name}`;
    const at = this.iso();
    this.nodes.set(name, {
      metadata: { name, uid, labels, annotations: {}, resourceVersion: this.#next() },
      spec: {},
      status: {
        nodeInfo: { bootID: `${name}-1` },
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at }],
      },
    });
    this.states.set(name, {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'NodeState',
      metadata: {
        name,
        uid: `state-${name}`,
        resourceVersion: this.#next(),
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: { update: { version: '2.0.0', attempt: 1 } },
      status: { bootID: `${name}-1`, update: { phase: 'Idle', since: at } },
    });
  }

  addLock(name: string, spec: Partial<RebootLockSpec>): void {
    this.locks.set(name, {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'RebootLock',
      metadata: { name, uid: `lock-${name}`, generation: 1, resourceVersion: this.#next() },
      spec: { nodeSelector: {}, maxUnavailable: 1, countExternal: true, ...spec },
      status: { observedGeneration: -1 },
    });
  }

  iso(): string {
    return new Date(this.now).toISOString();
  }

  ready(name: string, ready: boolean): void {
    this.editNode(name, (node) => {
      const condition = {
        type: 'Ready',
        status: ready ? ('True' as const) : ('False' as const),
        lastTransitionTime: this.iso(),
      };
      node.status = { ...node.status, conditions: [condition] };
    });
  }

  editNode(name: string, edit: (node: Node) => void): Node {
    return this.#edit(this.nodes, name, edit);
  }

  editState(name: string, edit: (state: NodeState) => void): NodeState {
    return this.#edit(this.states, name, edit);
  }

  editLock(name: string, edit: (lock: RebootLock) => void): RebootLock {
    return this.#edit(this.locks, name, edit);
  }

  patchNode(
    of: Version,
    unschedulable: true | null | undefined,
    annotations: Record<string, string | null>,
  ): Node {
    compare(of, this.nodes.get(of.name));
    return this.editNode(of.name, (node) => {
      if (unschedulable !== undefined) node.spec = unschedulable === null ? {} : { unschedulable };
      for (const [key, value] of Object.entries(annotations)) {
        node.metadata.annotations ??= {};
        if (value === null) delete node.metadata.annotations[key];
        else node.metadata.annotations[key] = value;
      }
    });
  }

  applyReboot(of: Version, reboot: RebootSpec): NodeState {
    compare(of, this.states.get(of.name));
    const before = this.states.get(of.name)?.spec.reboot;
    // Server-side apply of what stands there already changes nothing, not even the version.
    if (JSON.stringify(before) === JSON.stringify(reboot)) return this.states.get(of.name) as NodeState;
    return this.editState(of.name, (state) => {
      state.spec = { ...state.spec, reboot };
    });
  }

  removePod(uid: string | undefined): void {
    for (const [node, pods] of this.pods) {
      this.pods.set(
        node,
        pods.filter(({ metadata }) => metadata.uid !== uid),
      );
    }
  }

  /** All pods of a namespace, whether on a node or not. */
  podsIn(namespace: string): Pod[] {
    const all = [...[...this.pods.values()].flat(), ...this.pending];
    return all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  writeLock(of: Version, status: object): RebootLock {
    compare(of, this.locks.get(of.name));
    return this.editLock(of.name, (lock) => {
      lock.status = { observedGeneration: -1, ...lock.status, ...status };
    });
  }

  holders(lock: string): readonly Holder[] {
    return this.locks.get(lock)?.status?.holders ?? [];
  }

  marked(name: string): boolean {
    return this.nodes.get(name)?.metadata.annotations?.[CORDON_ANNOTATION] !== undefined;
  }

  isReady(name: string): boolean {
    return this.nodes.get(name)?.status?.conditions?.[0]?.status === 'True';
  }

  #edit<T extends KubeObject>(objects: Map<string, T>, name: string, edit: (object: T) => void): T {
    const object = objects.get(name);
    if (object === undefined) throw failure('NotFound', 404);
    const next = copyOf(object);
    edit(next);
    next.metadata.resourceVersion = this.#next();
    objects.set(name, next);
    this.#noteDown();
    return next;
  }

  #noteDown(): void {
    for (const [name, node] of this.nodes) {
      const down = node.spec?.unschedulable === true || !this.isReady(name);
      if (!down) this.downAt.delete(name);
      else if (!this.downAt.has(name)) this.downAt.set(name, this.step);
    }
  }

  #next(): string {
    this.version += 1;
    return String(this.version);
  }
}

/** Of plain data; many times as quick as structuredClone. */
function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => copyOf(item)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)])) as T;
}

function compare({ uid, resourceVersion }: Version, found: KubeObject | undefined): void {
  if (found === undefined) throw failure('NotFound', 404);
  if (found.metadata.uid !== uid || found.metadata.resourceVersion !== resourceVersion)
    throw failure('Conflict', 409);
}

export function failure(code: KubeError['code'], status: number): KubeError {
  return new KubeError(`simulated ${code}`, { code, status });
}
