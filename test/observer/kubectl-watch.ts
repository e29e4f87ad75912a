import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '#api/meta.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guarded, type GuardedProcess } from '#test/cluster/guardian.ts';

export interface WatchEvent<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
}

/**
 * Watches all objects of a resource with `kubectl`, so that not a line of careen's own watching is between the cluster
 * and who looks. A watch that ends, because the API server went away, is begun anew by itself: all objects are told
 * again then.
 */
export class KubectlWatch<T extends KubeObject> {
  readonly #cluster: Cluster;
  readonly #resource: string;
  readonly #see: (event: WatchEvent<T>) => void;
  readonly #begun: () => void;
  #child: GuardedProcess | undefined;
  #stopped = false;

  /** `begun` is called whenever all objects are about to be told. */
  constructor(
    cluster: Cluster,
    resource: string,
    see: (event: WatchEvent<T>) => void,
    begun: () => void = () => undefined,
  ) {
    this.#cluster = cluster;
    this.#resource = resource;
    this.#see = see;
    this.#begun = begun;
  }

  start(): this {
    void this.#watch();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.signal('SIGKILL');
  }

  async #watch(): Promise<void> {
    const { kubeconfig, tools } = this.#cluster;
    const args = ['get', this.#resource, '--watch', '--output-watch-events', '-o', 'json'];
    while (!this.#stopped) {
      this.#child = await guarded(tools.kubectl, ['--kubeconfig', kubeconfig, ...args], {
        stdout: 'pipe',
        graceMs: 0,
      });
      if (this.#stopped) this.#child.signal('SIGKILL');
      this.#begun();
      const { stdout, exited } = this.#child;
      if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#note(line));
      await exited;
      await sleep(200);
    }
  }

  #note(line: string): void {
    const event = parse(line) as Partial<WatchEvent<T>> | undefined;
    if (event?.type !== undefined && event.object?.metadata !== undefined) this.#see(event as WatchEvent<T>);
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
