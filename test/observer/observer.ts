import { isReady, type Node } from '#api/meta.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { KubectlWatch, type WatchEvent } from './kubectl-watch.ts';
import { Ledger } from './ledger.ts';

/** Keeps the book of which nodes were unavailable, by what anybody can see of the Nodes. */
export class Observer {
  readonly ledger = new Ledger();
  readonly #matches: (node: Node) => boolean;
  readonly #watch: KubectlWatch<Node>;

  constructor(cluster: Cluster, matches: (node: Node) => boolean = () => true) {
    this.#matches = matches;
    this.#watch = new KubectlWatch<Node>(cluster, 'nodes', (event) => this.#note(event));
  }

  /** Watches until `stop`. */
  start(): void {
    this.#watch.start();
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
    this.ledger.see({
      node: name,
      at: Date.now(),
      cordoned: node.spec?.unschedulable === true,
      ready: isReady(node),
      bootID: node.status?.nodeInfo?.bootID ?? '',
    });
  }
}
