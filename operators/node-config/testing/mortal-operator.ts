import { PassThrough } from 'node:stream';
import { KubeClient } from '#runtime/client/client.ts';
import { EventRecorder } from '#runtime/events/recorder.ts';
import { parseFlags } from '#runtime/flags/flags.ts';
import { Health } from '#runtime/health/health.ts';
import { createLogger } from '#runtime/log/log.ts';
import { Metrics } from '#runtime/metrics/metrics.ts';
import { operatorFlags } from '#runtime/operator/common-flags.ts';
import { nodeConfigFlags } from '../flags.ts';
import { NodeConfigOperator } from '../node-config-operator.ts';

const NAME = 'careen-node-config';

/** The operator that leads, in this process, until it dies: of what it would write after `writes` nothing is sent. */
export class MortalOperator {
  readonly #client: KubeClient;
  /** Events do not count: nothing depends on them. */
  readonly #teller: KubeClient;
  readonly #operator: NodeConfigOperator;
  readonly #over = new AbortController();
  readonly #running: Promise<unknown>;
  #left: number;

  constructor(kubeconfig: string, writes = Infinity) {
    this.#left = writes;
    const client = KubeClient.load({ kubeconfig, userAgent: NAME, qps: 2000 });
    client.fenceWrites(() => this.#write());
    this.#client = client;
    this.#teller = KubeClient.load({ kubeconfig, userAgent: NAME });
    const flags = parseFlags(NAME, { ...operatorFlags, ...nodeConfigFlags }, [
      '--namespace=default',
      '--source-namespaces=default',
    ]);
    // What the dying say is no news.
    const log = createLogger({ name: NAME, stream: new PassThrough().resume() });
    const { signal } = this.#over;
    const told = { log, metrics: new Metrics({ process: false }), health: new Health() };
    const events = new EventRecorder({ client: this.#teller, controller: NAME, instance: 'mortal', log });
    this.#operator = new NodeConfigOperator({ flags, client, events, signal, ...told });
    this.#running = this.#operator.lead(signal).catch(() => undefined);
  }

  get isDead(): boolean {
    return this.#over.signal.aborted;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
    await this.#operator.stop();
    await Promise.all([this.#client.close(), this.#teller.close()]);
  }

  #write(): void {
    if (this.#left > 0) this.#left -= 1;
    else this.#over.abort();
    this.#over.signal.throwIfAborted();
  }
}
