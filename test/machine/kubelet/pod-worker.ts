import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Container, PodContainers } from './container.ts';
import { isFinished, podPath, type KubeletPod } from './pod.ts';
import { digest, podStatus } from './pod-status.ts';
import { Serial } from './serial.ts';
import { timestamp } from './simulated-container.ts';

export interface PodWorkerOptions {
  client: KubeClient;
  hostIP: string;
  podIP: string;
  /** From the pod's arrival to the start of its containers, in milliseconds. */
  startMs: number;
  /** Most that a pod's grace period may last. */
  maxGraceMs: number;
  /** False: the node gives pods no network, so the containers are not started. */
  hasNetwork: boolean;
  makeContainers: (pod: KubeletPod, onChange: () => void) => PodContainers;
  /** Called once nothing is left of the pod on this machine. */
  onGone: () => void;
}

const NOTHING: PodContainers = { containers: [], remove: async () => {} };

/** One pod on its machine, from the moment that the kubelet hears of it until it is gone from the API. */
export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #made: PodContainers;
  readonly #status: Serial;
  readonly #over = new AbortController();
  #pod: KubeletPod;
  #ending: Promise<void> | undefined;

  constructor(pod: KubeletPod, options: PodWorkerOptions) {
    this.#pod = pod;
    this.#options = options;
    this.#status = new Serial((signal) => this.#postStatus(signal));
    const onChange = (): void => this.#status.poke();
    this.#made = isFinished(pod) ? NOTHING : options.makeContainers(pod, onChange);
  }

  get containers(): readonly Container[] {
    return this.#made.containers;
  }

  get pod(): KubeletPod {
    return this.#pod;
  }

  start(): void {
    if (this.#pod.metadata.deletionTimestamp !== undefined) this.#end();
    else if (this.containers.length > 0) void this.#begin();
  }

  /** Takes note of a newer state of the pod in the API. */
  update(pod: KubeletPod): void {
    if (version(pod) <= version(this.#pod)) return;
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#end();
    else if (this.containers.length > 0) this.#status.poke();
  }

  /** The pod is gone from the API: what still runs of it is killed. */
  async gone(): Promise<void> {
    await this.kill();
    await this.#made.remove();
    this.#options.onGone();
  }

  /** Stops posting; the containers run on. */
  async fallSilent(): Promise<void> {
    this.#over.abort();
    await this.#status.stop();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.containers.map((container) => container.stop(graceMs)));
  }

  async kill(): Promise<void> {
    this.#over.abort();
    await Promise.all([this.#status.stop(), ...this.containers.map((container) => container.kill())]);
  }

  async #begin(): Promise<void> {
    const signal = this.#over.signal;
    if (this.#pod.status?.phase === 'Running') this.#status.poke(); // after a boot: no container runs yet
    await sleep(this.#options.startMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted || this.#ending !== undefined || !this.#options.hasNetwork) return;
    for (const container of this.containers) container.start();
  }

  #end(): void {
    this.#ending ??= this.#terminate();
  }

  async #terminate(): Promise<void> {
    const { deletionGracePeriodSeconds = 30 } = this.#pod.metadata;
    await this.stop(Math.min(deletionGracePeriodSeconds * 1000, this.#options.maxGraceMs));
    await this.#status.stop();
    while (!this.#over.signal.aborted) {
      if (await this.#deleted()) return;
      await sleep(500, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
    }
  }

  /** The API forgets the pod only now that nothing of it runs. */
  async #deleted(): Promise<boolean> {
    const { uid } = this.#pod.metadata;
    const signal = this.#over.signal;
    try {
      await this.#options.client.delete(podPath(this.#pod), { uid, gracePeriodSeconds: 0 }, { signal });
      return true;
    } catch (error) {
      return isKubeError(error, 'NotFound') || isKubeError(error, 'Conflict');
    }
  }

  async #postStatus(signal: AbortSignal): Promise<void> {
    const pod = this.#pod;
    const { client, hostIP, podIP } = this.#options;
    const views = this.containers.map((container) => container.view());
    const status = podStatus(pod, views, { hostIP, podIP, now: timestamp() });
    if (this.#ending !== undefined || digest(status) === digest(pod.status)) return;
    const { uid, resourceVersion } = pod.metadata;
    try {
      const body = { metadata: { uid, resourceVersion }, status };
      this.update(await client.mergePatch<KubeletPod>(`${podPath(pod)}/status`, body, {}, { signal }));
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return;
      throw error;
    }
  }
}

function version(pod: KubeletPod): bigint {
  return BigInt(pod.metadata.resourceVersion ?? 0);
}
