import { isReady, type Node } from '#api/meta.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { KubectlWatch, type WatchEvent } from './kubectl-watch.ts';
import { Ledger } from './ledger.ts';

/** Keeps the book of which nodes were unavailable, by what anybody can see of the Nodes. */
export class Observer {
  readonly ledger = new Ledger();
  readonly #matches: (node: Node) => boolean;
  readonly #watch: KubectlWatch<Node>;
  /** Names of all nodes that it has told of. */
  readonly #told = new Set<string>();

  constructor(cluster: Cluster, matches: (node: Node) => boolean = () => true) {
    this.#matches = matches;
    const begun = () => this.ledger.gap(this.#told);
    this.#watch = new KubectlWatch<Node>(cluster, 'nodes', (event) => this.#note(event), begun);
  }

  /** Watches until `stop`. */
  start(): void {
    this.#watch.start();
  }

  /** Resolves when it sees nodes: what happens from now on is in the book. */
  async watching(): Promise<void> {
    await until('the nodes are watched', () => this.#told.size > 0, { timeoutMs: 120_000 });
  }

  stop(): void {
    this.#watch.stop();
  }

  #note({ type, object: node }: WatchEvent<Node>): void {
    if (!this.#matches(node)) return;
    const { name } = node.metadata;
    if (type === 'DELETED') {
      this.ledger.forget(name, Date.now());
      return;
    }
    this.#told.add(name);
    this.ledger.see({
      node: name,
      at: Date.now(),
      cordoned: node.spec?.unschedulable === true,
      ready: isReady(node),
      bootID: node.status?.nodeInfo?.bootID ?? '',
    });
  }
}
