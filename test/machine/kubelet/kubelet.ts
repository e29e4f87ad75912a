import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { addressOf } from './address.ts';
import type { Container } from './container.ts';
import { makeContainers, type ContainerSetup } from './container-factory.ts';
import { Heartbeat } from './lease.ts';
import { showMirrorPod, type StaticPod } from './mirror-pod.ts';
import type { NodeFacts } from './node-object.ts';
import { NodeReporter } from './node-reporter.ts';
import { MIRROR_ANNOTATION, podKey, type KubeletPod } from './pod.ts';
import { PodWorker } from './pod-worker.ts';
import { Serial } from './serial.ts';

export interface KubeletOptions {
  /** With the credentials of this node; the kubelet closes it. */
  client: KubeClient;
  node: NodeFacts;
  /** False: the node never gets Ready, and only pods on the host's network run. */
  healthy: boolean;
  containers: ContainerSetup;
  staticPods: readonly StaticPod[];
  /** Milliseconds between two renewals of the node's Lease. */
  leaseMs: number;
  podStartMs: number;
  maxGraceMs: number;
}

const READY = { ready: true, reason: 'KubeletReady', message: 'kubelet is posting ready status' };
const BROKEN = { ready: false, reason: 'KubeletNotReady', message: 'container network is not ready' };
const LEAVING = { ready: false, reason: 'KubeletNotReady', message: 'node is shutting down' };

/** The kubelet of one boot of one machine. */
export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #pods: Informer<KubeletPod>;
  readonly #reporter: NodeReporter;
  readonly #mirrors: Serial;
  #heartbeat: Heartbeat | undefined;
  #node: Node | undefined;
  #stopped = false;

  constructor(options: KubeletOptions) {
    this.#options = options;
    const { client, node, healthy } = options;
    const onRegistered = (registered: Node): void => this.#registered(registered);
    this.#reporter = new NodeReporter(client, node, healthy ? READY : BROKEN, onRegistered);
    this.#mirrors = new Serial((signal) => this.#showMirrors(signal));
    this.#pods = new Informer<KubeletPod>({
      client,
      path: '/api/v1/pods',
      query: { fieldSelector: `spec.nodeName=${node.name}` },
      onChange: (key) => this.#reconcile(key),
      onReplaced: (_key, previous) => this.#gone(previous),
    });
  }

  start(): void {
    this.#reporter.start();
    this.#pods.start();
  }

  /** An orderly end: the node says that it goes, processes are asked to end within `graceMs`. */
  async shutDown(graceMs: number): Promise<void> {
    this.#stopped = true;
    const workers = [...this.#workers.values()];
    await Promise.race([
      Promise.all([this.#reporter.sayGoodbye(LEAVING), ...workers.map((worker) => worker.fallSilent())]),
      sleep(1500),
    ]);
    await Promise.all(workers.map((worker) => worker.stop(graceMs)));
    await this.kill();
  }

  /** The end without a word: every process is killed, every connection dropped. */
  async kill(): Promise<void> {
    this.#stopped = true;
    const killed = [...this.#workers.values()].map((worker) => worker.kill());
    const stopped = [this.#reporter.stop(), this.#pods.stop(), this.#mirrors.stop(), this.#heartbeat?.stop()];
    await Promise.all([...killed, ...stopped]);
    await this.#options.client.close();
  }

  containers(): { pod: KubeletPod; container: Container }[] {
    const workers = [...this.#workers.values()];
    return workers.flatMap(({ pod, containers }) => containers.map((container) => ({ pod, container })));
  }

  #registered(node: Node): void {
    this.#node = node;
    this.#heartbeat = new Heartbeat(this.#options.client, node.metadata, this.#options.leaseMs);
    this.#heartbeat.start();
    this.#mirrors.poke();
  }

  #reconcile(key: string): void {
    if (this.#stopped) return;
    const pod = this.#pods.get(key);
    if (pod === undefined) return this.#goneByKey(key);
    const worker = this.#workers.get(uidOf(pod));
    if (worker === undefined) this.#adopt(pod);
    else worker.update(pod);
  }

  #adopt(pod: KubeletPod): void {
    const { client, node, containers, podStartMs, maxGraceMs, healthy } = this.#options;
    const hostNetwork = pod.spec.hostNetwork === true;
    const facts = { hostIP: node.hostIP, podIP: hostNetwork ? node.hostIP : addressOf(uidOf(pod), 244) };
    const worker = new PodWorker(pod, {
      client,
      hostIP: facts.hostIP,
      podIP: facts.podIP,
      startMs: podStartMs,
      maxGraceMs,
      hasNetwork: healthy || hostNetwork,
      makeContainers: (pod, onChange) => makeContainers(pod, containers, facts, onChange),
      onGone: () => this.#workers.delete(uidOf(pod)),
    });
    this.#workers.set(uidOf(pod), worker);
    worker.start();
  }

  #goneByKey(key: string): void {
    for (const worker of this.#workers.values()) {
      if (podKey(worker.pod) === key) this.#gone(worker.pod);
    }
  }

  #gone(pod: KubeletPod): void {
    void this.#workers.get(uidOf(pod))?.gone();
    if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) this.#mirrors.poke();
  }

  async #showMirrors(signal: AbortSignal): Promise<void> {
    const node = this.#node;
    if (node === undefined || this.#stopped) return;
    for (const pod of this.#options.staticPods) {
      await showMirrorPod(this.#options.client, node, pod, signal);
    }
  }
}

function uidOf(pod: KubeletPod): string {
  return pod.metadata.uid ?? '';
}
