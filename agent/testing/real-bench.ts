import { join } from 'node:path';
import { resourcePath } from '#api/group.ts';
import type { HealthGate } from '#api/health.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Phase } from '#api/node-state.ts';
import { Release } from '../../helm/testing/release.ts';
import { buildImages } from '#images/build-images.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster } from '#test/cluster/cluster.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { GATEWAY } from '#test/machine/real/network.ts';
import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';
import { buildRealOsImage } from '#test/machine/real/parts/real-os-image.ts';
import { createRealFleet } from '#test/machine/real/real-fleet.ts';
import type { RealFleet } from '#test/machine/real/real-fleet.ts';
import type { RealMachine } from '#test/machine/real/real-machine.ts';
import { PayloadServer } from '#test/machine/payload-server.ts';
import { generateKey } from '../payload/minisign.ts';
import { publishPayload } from '../payload/publish.ts';

const LOOK_EVERY_MS = 200;
/** A node reboots in 20 s; a busy computer takes many times as long. */
const LONG_MS = 300_000;
const NAME = 'node1';
const PATH = resourcePath('NodeState', NAME);

export interface Wish {
  gate?: HealthGate;
  /** Of the version, when it is tried again. */
  attempt?: number;
}

/**
 * One real node with the agent of the chart's DaemonSet in its image, and this program in the place of the operators,
 * which are never started.
 */
export class RealBench {
  readonly directory: string;
  readonly cluster: Cluster;
  readonly admin: KubeClient;
  #fleet: RealFleet | undefined;
  readonly #payloads: PayloadServer;
  readonly #keys = generateKey();
  #grants = 0;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.directory = cluster.directory;
    this.admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test', qps: 200 });
    this.#payloads = new PayloadServer({ directory: join(this.directory, 'payloads') });
  }

  /** With a node that runs 1.0.0, and payloads of the other versions. */
  static async start(others: Record<string, RealBehaviour>): Promise<RealBench> {
    const bench = new RealBench(await startCluster());
    try {
      await bench.#build(others);
      return bench;
    } catch (error) {
      await bench.stop();
      throw error;
    }
  }

  get machine(): RealMachine {
    const [machine] = this.#fleet?.machines ?? [];
    if (machine === undefined) throw new Error('the bench has no machine');
    return machine;
  }

  async stop(): Promise<void> {
    await this.#fleet?.delete();
    await this.#payloads.stop();
    await this.admin.close();
    await this.cluster.stop();
  }

  /** Runs a program on the node; what it printed, without the last line break. */
  async on(...argv: string[]): Promise<string> {
    const { stdout } = await this.machine.exec(argv);
    return stdout.trimEnd();
  }

  read(): Promise<NodeState> {
    return this.admin.get<NodeState>(PATH);
  }

  /** As operators/update would. */
  async want(version: string, { gate, attempt = 1 }: Wish = {}): Promise<void> {
    const payload = { manifest: `http://${GATEWAY}:${this.#port}/${version}/manifest.json` };
    const keys = [this.#keys.publicKey];
    const update = { version, payload, keys, attempt, allowDowngrade: false, health: gate ?? null };
    await this.admin.mergePatch(PATH, { spec: { update, reboot: null } });
  }

  /** As operators/reboot-lock would, but for cordon and drain. */
  async grant(seconds = 900): Promise<void> {
    const [node, { status }] = await Promise.all([this.#node(), this.read()]);
    const grant = {
      id: `grant-${(this.#grants += 1)}`,
      nodeUID: node.metadata.uid,
      bootID: status?.bootID,
      notAfter: new Date(Date.now() + seconds * 1000).toISOString(),
      mode: 'reboot',
    };
    await this.admin.mergePatch(PATH, { spec: { reboot: { grant } } });
  }

  /** Waits for a phase of the update to a version; prints the agent's log if it does not come. */
  async phase(phase: Phase, version: string, timeoutMs = LONG_MS): Promise<NodeState> {
    let state: NodeState | undefined;
    const holds = async () => {
      state = await this.read();
      return state.status?.update?.phase === phase && state.status.update.version === version;
    };
    await this.waitFor(`${version} is ${phase}`, holds, timeoutMs);
    return state!;
  }

  /** The agent's first words about a node of which nothing is wanted. */
  async phaseIs(phase: Phase): Promise<NodeState> {
    let state: NodeState | undefined;
    await this.waitFor(`the phase is ${phase}`, async () => {
      state = await this.read();
      return state.status?.update?.phase === phase;
    });
    return state!;
  }

  /**
   * Asks the agent to end, as the kubelet does; how long it took, in ms, and how long the node took meanwhile to run the
   * smallest program. Its container is started again.
   */
  async endAgent(): Promise<{ ms: number; programMs: number }> {
    const pid = await this.on('pgrep', '-f', '/app/agent.mjs');
    const began = performance.now();
    await this.on('kill', '-TERM', pid);
    let programs = 1;
    const hasEnded = async () => {
      programs += 1;
      return (await this.machine.exec(['kill', '-0', pid])).status !== 0;
    };
    await until('the agent has ended', hasEnded, { timeoutMs: LONG_MS, everyMs: 0 });
    const ms = performance.now() - began;
    return { ms, programMs: ms / programs };
  }

  async waitFor(what: string, holds: () => Promise<boolean>, timeoutMs = LONG_MS): Promise<void> {
    try {
      await until(what, holds, { timeoutMs, everyMs: LOOK_EVERY_MS });
    } catch (error) {
      const [{ status }, log] = await Promise.all([this.read(), this.log().catch(String)]);
      console.log(JSON.stringify(status, undefined, 1), log.slice(-6000));
      throw error;
    }
  }

  async log(): Promise<string> {
    return this.on('sh', '-c', 'cat /var/log/pods/*/agent/*.log');
  }

  async #build(others: Record<string, RealBehaviour>): Promise<void> {
    const image = (version: string) => join(this.directory, `${version}.img`);
    const archives = buildImages({
      directory: join(this.directory, 'images'),
      compression: 'none',
      notice: () => undefined,
    });
    await buildRealOsImage({ path: image('1.0.0'), version: '1.0.0' });
    for (const [version, behaviour] of Object.entries(others)) {
      await buildRealOsImage({ path: image(version), version, behaviour, suite: 'trixie' });
      const outDir = join(this.directory, 'payloads');
      const { secretKey } = this.#keys;
      // What is compressed further is only the test's time.
      await publishPayload({ image: image(version), version, outDir, secretKey, level: 1 });
    }
    await this.#payloads.start();
    const { cluster } = this;
    const images = [(await archives).agent];
    this.#fleet = await createRealFleet({
      cluster,
      count: 1,
      prefix: 'node',
      osImage: image('1.0.0'),
      // Half of it is the pods' that are not critical.
      shutdownGraceSeconds: 30,
      images,
    });
    await this.#fleet.network.forward(this.#port);
    await new Release(cluster).install();
    this.#fleet.powerOn();
    await this.#fleet.ready();
    await this.#introduce();
  }

  async #introduce(): Promise<void> {
    const { uid } = (await this.#node()).metadata;
    const owner = { apiVersion: 'v1', kind: 'Node', name: NAME, uid };
    const metadata = { name: NAME, ownerReferences: [owner] };
    const state = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeState', metadata, spec: {} };
    await until('the kind is served', async () => {
      await this.admin.apply(PATH, state, { fieldManager: 'test' });
      return true;
    });
  }

  get #port(): number {
    return Number(new URL(this.#payloads.url).port);
  }

  #node(): Promise<Node> {
    return this.admin.get<Node>(`/api/v1/nodes/${NAME}`);
  }
}
