import { isReady, type Node } from '#api/meta.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guarded, type GuardedProcess } from '#test/cluster/guardian.ts';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger.ts';

/**
 * Watches the Nodes with `kubectl`, so that not a line of careen's own watching is between the cluster and
 * the book. Ends when the API server goes away and begins again by itself.
 */
export class Observer {
  readonly ledger = new Ledger();
  readonly #cluster: Cluster;
  #child: GuardedProcess | undefined;
  #stopped = false;
  #matches: (node: Node) => boolean;

  constructor(cluster: Cluster, matches: (node: Node) => boolean = () => true) {
    this.#cluster = cluster;
    this.#matches = matches;
  }

  /** Watches until `stop`; a watch that ends is begun again. */
  start(): void {
    void this.#watch();
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.signal('SIGKILL');
  }

  async #watch(): Promise<void> {
    const { kubeconfig, tools } = this.#cluster;
    const args = ['get', 'nodes', '--watch', '--output-watch-events', '-o', 'json'];
    while (!this.#stopped) {
      this.#child = await guarded(tools.kubectl, ['--kubeconfig', kubeconfig, ...args], {
        stdout: 'pipe',
        graceMs: 0,
      });
      const { stdout, exited } = this.#child;
      if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#note(line));
      await exited;
      await sleep(200);
    }
  }

  #note(line: string): void {
    const event = parse(line) as { type?: string; object?: Node } | undefined;
    const node = event?.object;
    if (node?.metadata === undefined || !this.#matches(node)) return;
    const { name } = node.metadata;
    if (event?.type === 'DELETED') {
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

/** A line that kubectl did not finish when it was cut off tells nothing. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
