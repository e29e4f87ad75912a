import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { KubectlWatch, type WatchEvent } from '#test/observer/kubectl-watch.ts';
import { allRest } from '#test/stack/objects.ts';
import { momentOf, type Moment } from './moment.fixture.ts';

/** A node as it was last seen. */
export interface Sight {
  name: string;
  moment: Moment;
  node: Node;
  state: NodeState;
}

interface Waiter {
  holds: (sight: Sight) => boolean;
  tell: (sight: Sight) => void;
}

/** Far more than it takes; a slow machine that stages on five nodes at once takes its time. */
const WAIT_MS = 360_000;

/** Sees every change of the nodes as it comes, so that a test can act in the very moment. */
export class Sights {
  readonly #nodes = new Map<string, Node>();
  readonly #states = new Map<string, NodeState>();
  readonly #waiters = new Set<Waiter>();
  readonly #watches: { stop(): void }[];

  constructor(cluster: Cluster) {
    const watch = <T extends Node | NodeState>(resource: string, known: Map<string, T>) =>
      new KubectlWatch<T>(cluster, resource, (event) => this.#note(known, event)).start();
    this.#watches = [watch('nodes', this.#nodes), watch('nodestates', this.#states)];
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop();
  }

  /** All nodes of which both the Node and its NodeState are known. */
  get all(): Sight[] {
    return [...this.#nodes.keys()].map((name) => this.of(name)).filter((sight) => sight !== undefined);
  }

  /** Whether every node rests on `version`, as far as was seen; the lock is not watched. */
  rest(names: readonly string[], version: string): boolean {
    const [nodes, states] = [[...this.#nodes.values()], [...this.#states.values()]];
    return allRest({ nodes, states, lock: undefined }, names, version);
  }

  of(name: string): Sight | undefined {
    const [node, state] = [this.#nodes.get(name), this.#states.get(name)];
    return node && state && { name, moment: momentOf(node, state), node, state };
  }

  /** The first sight of any node for which `holds` is true, now or later. */
  async when(what: string, holds: (sight: Sight) => boolean, timeoutMs = WAIT_MS): Promise<Sight> {
    const now = this.all.find((sight) => holds(sight));
    if (now !== undefined) return now;
    const { promise, resolve, reject } = Promise.withResolvers<Sight>();
    const waiter = { holds, tell: resolve };
    this.#waiters.add(waiter);
    const late = () => reject(new Error(`waited in vain until ${what}:\n${this.describe()}`));
    const timer = setTimeout(late, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** A line a node, for the one who has waited in vain. */
  describe(): string {
    const lines = this.all.map(({ name, moment, node, state: { spec, status } }) => {
      const hold = [spec.update?.hold?.message, spec.reboot?.hold?.message].filter(Boolean).join('; ');
      const cordoned = node.spec?.unschedulable === true ? ', cordoned' : '';
      const error = status?.update?.error === undefined ? '' : `, ${status.update.error.code}`;
      const runs = `runs ${status?.os?.version ?? '?'}, wants ${spec.update?.version ?? '-'}`;
      return `  ${name}: ${moment} of ${status?.update?.version ?? '-'}, ${runs}${cordoned}${error}. ${hold}`;
    });
    return lines.join('\n');
  }

  #note<T extends Node | NodeState>(known: Map<string, T>, { type, object }: WatchEvent<T>): void {
    const { name } = object.metadata;
    if (type === 'DELETED') known.delete(name);
    else known.set(name, object);
    const sight = this.of(name);
    if (sight === undefined) return;
    for (const waiter of this.#waiters) if (waiter.holds(sight)) waiter.tell(sight);
  }
}
