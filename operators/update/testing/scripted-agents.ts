import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { UpdateStatus } from '#api/node-state.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { Controller } from '#runtime/controller/controller.ts';
import type { Log } from '#runtime/log/log.ts';

const BOOT = 'boot-1';
const BEAT_MS = 10_000;

/**
 * For tests: the agents of all nodes at once. They write what real ones would, but download nothing and reboot
 * at once when `mayReboot` says so.
 */
export class ScriptedAgents {
  /** Versions that do not come up, by node; `*` is every node. */
  readonly bad = new Map<string, string>();
  /** Whether a staged node may reboot now; a test holds all back with `() => false`. */
  mayReboot: (node: string, version: string) => boolean = () => true;
  /** Order in which nodes rebooted, and into what. */
  readonly reboots: { node: string; version: string }[] = [];

  readonly #client: KubeClient;
  readonly #states: Informer<NodeState>;
  readonly #controller: Controller;
  readonly #stopping = new AbortController();
  readonly #nodes = new Set<string>();
  #heart: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(client: KubeClient, log: Log) {
    this.#client = client;
    this.#controller = new Controller({
      name: 'agents',
      reconcile: (name) => this.#act(name),
      workers: 4,
      log,
    });
    this.#states = new Informer<NodeState>({
      client,
      path: resourcePath('NodeState'),
      onChange: (name) => this.#controller.enqueue(name),
      log,
    });
  }

  /** Makes a Ready Node. */
  async join(name: string, labels: Record<string, string> = {}): Promise<void> {
    await this.#client.create('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
    });
    this.#nodes.add(name);
    await this.#beat(name);
  }

  /** The first report of a node's agent. */
  async report(name: string, version: string): Promise<void> {
    const status = { bootID: BOOT, os: { id: 'os', version }, engine: 'gpt' };
    await this.#client.mergePatch(`${resourcePath('NodeState', name)}/status`, { status });
  }

  start(): void {
    this.#states.start();
    const beatAll = () => void Promise.allSettled([...this.#nodes].map((name) => this.#beat(name)));
    this.#heart = setInterval(beatAll, BEAT_MS);
    this.#running = this.#controller.run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    this.#stopping.abort();
    await this.#states.stop();
    await this.#running;
  }

  /** What a kubelet says of its node; one that does not say it for 50 s is marked as not Ready. */
  async #beat(name: string): Promise<void> {
    const lastHeartbeatTime = new Date().toISOString();
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Test', message: '', lastHeartbeatTime }];
    const status = { conditions, nodeInfo: { ...EMPTY_INFO, bootID: BOOT } };
    await this.#client.mergePatch(`/api/v1/nodes/${name}/status`, { status });
  }

  async #act(name: string): Promise<{ requeueAfterMs: number } | undefined> {
    const state = this.#states.get(name);
    if (state?.status?.os === undefined) return undefined;
    const step = this.#step(name, state);
    if (step === 'wait') return { requeueAfterMs: 50 };
    if (step === undefined) return undefined;
    try {
      const { resourceVersion } = state.metadata;
      await this.#client.mergePatch(`${resourcePath('NodeState', name)}/status`, {
        metadata: { resourceVersion },
        ...step,
      });
    } catch (error) {
      if (!isKubeError(error, 'Conflict') && !isKubeError(error, 'NotFound')) throw error;
    }
    return { requeueAfterMs: 20 };
  }

  #step(name: string, state: NodeState): { status: object } | 'wait' | undefined {
    const wanted = state.spec?.update;
    const update = state.status?.update;
    const { version = '', attempt = 1 } = wanted ?? {};
    if (update?.phase === 'Rebooting') return this.#comeUp(name, state, update);
    const isAsked = wanted?.payload !== undefined && version !== state.status?.os?.version;
    if (!isAsked) return update?.phase === 'Staged' ? say({ phase: 'Idle', version: null }) : undefined;
    const isNew = update?.version !== version || (update.attempt ?? 1) < attempt;
    if (isNew) return say({ phase: 'Staged', version, attempt });
    if (update.phase !== 'Staged') return undefined;
    if (!this.mayReboot(name, version)) return 'wait';
    this.reboots.push({ node: name, version });
    return say({ phase: 'Rebooting' });
  }

  #comeUp(name: string, { status }: NodeState, update: UpdateStatus): { status: object } {
    const { version = '', attempt = 1 } = update;
    const isBad = this.bad.get(name) === version || this.bad.get('*') === version;
    if (!isBad) {
      return { status: { os: { id: 'os', version }, ...say({ phase: 'Succeeded' }).status } };
    }
    const entry = { version, reason: 'HealthDeadline', attempt, since: new Date().toISOString() };
    const others = (status?.quarantine ?? []).filter((one) => one.version !== version);
    return { status: { quarantine: [...others, entry], ...say({ phase: 'RolledBack' }).status } };
  }
}

function say(update: object): { status: { update: object } } {
  return { status: { update: { ...update, since: new Date().toISOString() } } };
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
