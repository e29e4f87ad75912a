import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { Controller, type Reconcile } from '#runtime/controller/controller.ts';
import { Informer } from '#runtime/informer/informer.ts';
import type { Log } from '#runtime/log/log.ts';

/** The boot that every node runs. */
export const BOOT = 'boot-1';
const BEAT_MS = 10_000;

export interface WatchingAgentsOptions {
  client: KubeClient;
  log: Log;
  /** How many act at once. */
  workers: number;
  /** What the agent of a node does when its NodeState changed. */
  act: (node: string) => ReturnType<Reconcile>;
}

/** For tests: what scripted agents of all nodes have in common. Their nodes are Ready, and they watch NodeStates. */
export class WatchingAgents {
  readonly #client: KubeClient;
  readonly #states: Informer<NodeState>;
  readonly #controller: Controller;
  readonly #stopping = new AbortController();
  /** UIDs, by name. */
  readonly #nodes = new Map<string, string>();
  #heart: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor({ client, log, workers, act }: WatchingAgentsOptions) {
    this.#client = client;
    this.#controller = new Controller({ name: 'agents', reconcile: (name) => act(name), workers, log });
    this.#states = new Informer<NodeState>({
      client,
      path: resourcePath('NodeState'),
      onChange: (name) => this.#controller.enqueue(name),
      log,
    });
  }

  start(): void {
    this.#states.start();
    const beatAll = () => void Promise.allSettled([...this.#nodes.keys()].map((name) => this.beat(name)));
    this.#heart = setInterval(beatAll, BEAT_MS);
    this.#running = this.#controller.run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    this.#stopping.abort();
    await this.#states.stop();
    await this.#running;
  }

  /** Has every agent look again. */
  wake(): void {
    for (const name of this.#nodes.keys()) this.#controller.enqueue(name);
  }

  /** UID of a node that joined. */
  uid(name: string): string | undefined {
    return this.#nodes.get(name);
  }

  state(name: string): NodeState | undefined {
    return this.#states.get(name);
  }

  /** Makes a Ready Node. */
  async join(name: string, labels: Record<string, string>): Promise<string> {
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
    const { metadata } = await this.#client.create<Node>('/api/v1/nodes', body);
    const { uid = '' } = metadata;
    this.#nodes.set(name, uid);
    await this.beat(name);
    return uid;
  }

  /** What a kubelet says of its node; one that does not say it for 50 s is marked as not Ready. */
  async beat(name: string): Promise<void> {
    const lastHeartbeatTime = new Date().toISOString();
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Test', message: '', lastHeartbeatTime }];
    const status = { conditions, nodeInfo: { ...EMPTY_INFO, bootID: BOOT } };
    await this.#client.mergePatch(`/api/v1/nodes/${name}/status`, { status });
  }

  /** Merges into the status of a NodeState; `resourceVersion`: of the object that it was decided on. */
  async report(name: string, status: object, resourceVersion?: string): Promise<void> {
    const metadata = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    await this.#client.mergePatch(`${resourcePath('NodeState', name)}/status`, { ...metadata, status });
  }
}

const EMPTY_INFO = {
  machineID: '',
  systemUUID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: 'linux',
  architecture: 'amd64',
};
