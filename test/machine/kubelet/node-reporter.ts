import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { nodeObject, nodeStatus, type NodeFacts, type Readiness } from './node-object.ts';
import { Serial } from './serial.ts';
import { timestamp } from './simulated-container.ts';

/** Keeps the Node object of a machine as the machine is: registers it, posts its status, corrects others' guesses. */
export class NodeReporter {
  readonly #client: KubeClient;
  readonly #facts: NodeFacts;
  readonly #work: Serial;
  readonly #informer: Informer<Node>;
  readonly #onRegistered: (node: Node) => void;
  #readiness: Readiness;
  #registered = false;

  constructor(
    client: KubeClient,
    facts: NodeFacts,
    readiness: Readiness,
    onRegistered: (node: Node) => void,
  ) {
    this.#client = client;
    this.#facts = facts;
    this.#readiness = readiness;
    this.#onRegistered = onRegistered;
    this.#work = new Serial((signal) => this.#report(signal));
    this.#informer = new Informer<Node>({
      client,
      path: '/api/v1/nodes',
      query: { fieldSelector: `metadata.name=${facts.name}` },
      onChange: () => this.#work.poke(),
    });
  }

  start(): void {
    this.#work.poke();
    this.#informer.start();
  }

  /** Posts a last status before the machine goes down; gives up after a second. */
  async sayGoodbye(readiness: Readiness): Promise<void> {
    this.#readiness = readiness;
    await this.#work.stop();
    const posted = this.#post(AbortSignal.timeout(1000));
    await posted.catch(() => {});
  }

  async stop(): Promise<void> {
    await Promise.all([this.#work.stop(), this.#informer.stop()]);
  }

  async #report(signal: AbortSignal): Promise<void> {
    if (!this.#registered) await this.#register(signal);
    await this.#post(signal);
  }

  /** A kubelet registers only when it starts: a Node that somebody deletes meanwhile stays deleted. */
  async #register(signal: AbortSignal): Promise<void> {
    const path = `/api/v1/nodes/${this.#facts.name}`;
    const node = await this.#client.get<Node>(path, {}, { signal }).catch((error: unknown) => {
      if (!isKubeError(error, 'NotFound')) throw error;
      return this.#client.create<Node>('/api/v1/nodes', nodeObject(this.#facts), {}, { signal });
    });
    this.#registered = true;
    this.#onRegistered(node);
  }

  async #post(signal: AbortSignal): Promise<void> {
    const path = `/api/v1/nodes/${this.#facts.name}`;
    const node = await this.#current(path, signal);
    const status = node && nodeStatus(node, this.#facts, this.#readiness, timestamp());
    if (status === undefined) return;
    const { uid, resourceVersion } = node!.metadata;
    await this.#client.mergePatch(
      `${path}/status`,
      { metadata: { uid, resourceVersion }, status },
      {},
      { signal },
    );
  }

  async #current(path: string, signal: AbortSignal): Promise<Node | undefined> {
    try {
      return await this.#client.get<Node>(path, {}, { signal });
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
