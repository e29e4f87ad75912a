import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { Node, NodeCondition, Pod } from '#api/meta.ts';
import type { NodeStateSpec } from '#api/node-state.ts';
import type { RebootLockStatus } from '#api/reboot-lock.ts';

export type RebootSpec = NonNullable<NodeStateSpec['reboot']>;

/** Which version of an object a write is for; any other makes it fail with `Conflict`. */
export interface Version {
  name: string;
  uid: string;
  resourceVersion: string;
}

/** Name, readiness and cordon of every node, read from the server in one consistent answer. */
export type Readiness = ReadonlyMap<string, { ready: boolean; cordoned: boolean }>;

/**
 * All that reboot-lock reads live and writes. Every write names the version that it was decided on, so that
 * a decision from an old view fails instead of being carried out. Failures are KubeErrors.
 */
export interface Cluster {
  readiness(): Promise<Readiness>;
  locks(): Promise<RebootLock[]>;
  /** Undefined: there is none. */
  node(name: string): Promise<Node | undefined>;
  state(name: string): Promise<NodeState | undefined>;
  pods(node: string): Promise<Pod[]>;
  /** The pods of careen's operators in their namespace. */
  crew(namespace: string): Promise<Pod[]>;
  daemonSetExists(namespace: string, name: string): Promise<boolean>;

  /** The compare-and-swap on a lock's status. Without holders in it, those stay as they are. */
  writeLock(of: Version, status: Partial<RebootLockStatus>): Promise<RebootLock>;
  /** Sets and removes (null) fields of spec.unschedulable and annotations in one patch. */
  patchNode(
    of: Version,
    unschedulable: true | null | undefined,
    annotations: Record<string, string | null>,
  ): Promise<Node>;
  /** Our conditions on the Node, all of them: those that are left out are removed, those of others stay. */
  applyConditions(of: Pick<Version, 'name' | 'uid'>, conditions: readonly NodeCondition[]): Promise<Node>;
  /** Server-side apply of NodeState.spec.reboot as a whole; fields left out are removed. */
  applyReboot(of: Version, reboot: RebootSpec): Promise<NodeState>;
  /** Throws what the Eviction API answers. */
  evict(pod: Pod, graceSeconds: number | undefined): Promise<void>;
  /** Deletes the pod without asking its budgets. */
  remove(pod: Pod, graceSeconds: number | undefined): Promise<void>;
}
