import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigPhase } from '#api/config-errors.ts';
import { bundleHash } from '#api/config-hash.ts';
import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { ConfigStatus } from '#api/node-config-state.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster } from '#test/cluster/cluster.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { buildOsImage } from '#test/machine/os-image.ts';
import { giveAccount } from './node-account.ts';
import { Workbench } from './workbench.ts';

const NAME = 'n1';
const PATH = resourcePath('NodeState', NAME);
const CRD = join(import.meta.dirname, '../../crds/nodestates.careen.dev.yaml');
const SECRETS = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`;
const SALT = 'f'.repeat(32);

/** One light machine whose agent looks after its configuration, and this program in the place of the operators. */
export class ConfigBench {
  readonly directory: string;
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly machine: Workbench;
  #generation = 0;
  #nodeUID = '';

  private constructor(directory: string, cluster: Cluster) {
    this.directory = directory;
    this.cluster = cluster;
    this.client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test', qps: 200 });
    this.machine = new Workbench({
      directory,
      osImage: join(directory, '1.0.0.img'),
      kubeconfig: cluster.kubeconfig,
      nodeName: NAME,
      nodeConfig: true,
    });
  }

  static async start(): Promise<ConfigBench> {
    const directory = await mkdtemp(join(tmpdir(), 'careen-config-'));
    const [cluster] = await Promise.all([
      startCluster(),
      buildOsImage({ path: join(directory, '1.0.0.img'), version: '1.0.0', bulkMiB: 1 }),
    ]);
    const bench = new ConfigBench(directory, cluster);
    await bench.#introduce();
    return bench;
  }

  async stop(): Promise<void> {
    await this.machine.stopAgent('SIGKILL');
    await this.client.close();
    await this.cluster.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** As operators/node-config would; the hash of what is wanted. */
  async want(document: ConfigDocument, more: { apply?: boolean; generation?: number } = {}): Promise<string> {
    const hash = bundleHash(document, SALT);
    const { apply = true, generation = (this.#generation += 1) } = more;
    const bundle = { hash, salt: SALT, generation, node: { name: NAME, uid: this.#nodeUID }, document };
    const data = { bundle: gzipSync(JSON.stringify(bundle)).toString('base64') };
    await this.client.mergePatch(`${SECRETS}/${NAME}`, { data });
    await this.tell({ hash, generation, apply, rendered: `rendered-${generation}` });
    return hash;
  }

  async tell(config: object | null): Promise<void> {
    await this.client.mergePatch(PATH, { spec: { config } });
  }

  /** As operators/reboot-lock would, but for cordon and drain. */
  async grant(mode: 'reboot' | 'drain'): Promise<string> {
    const { status } = await this.read();
    const id = `${Date.parse(status?.reboot?.since ?? '')}/grant-${Date.now()}`;
    const notAfter = new Date(Date.now() + 900_000).toISOString();
    const grant = { id, nodeUID: this.#nodeUID, bootID: status?.bootID, notAfter, mode };
    await this.client.mergePatch(PATH, { spec: { reboot: { grant } } });
    return id;
  }

  read(): Promise<NodeState> {
    return this.client.get<NodeState>(PATH);
  }

  /** Waits for a phase of what has this hash, and generation; prints the agent's log if it does not come. */
  async phase(phase: ConfigPhase, hash?: string, generation?: number): Promise<ConfigStatus> {
    let state: NodeState | undefined;
    try {
      await until(`the configuration is ${phase}`, async () => {
        state = await this.read();
        const config = state.status?.config;
        if (config?.phase !== phase || (hash ?? config.hash) !== config.hash) return false;
        return (generation ?? config.generation) === config.generation;
      });
    } catch (error) {
      console.log(JSON.stringify(state?.status, undefined, 1), await this.machine.log());
      throw error;
    }
    return state!.status!.config!;
  }

  /** A file of the machine. */
  file(path: string): Promise<string> {
    return readFile(join(this.machine.root, path), 'utf8');
  }

  async #introduce(): Promise<void> {
    const { kubectl } = this.cluster.tools;
    const apply = ['--kubeconfig', this.cluster.kubeconfig, 'apply', '--server-side', '-f', CRD];
    execFileSync(kubectl, apply);
    // Never Ready: a node whose lease no kubelet renews would be called lost by the controllers in mid-change.
    const node = await this.client.create<Node>('/api/v1/nodes', { metadata: { name: NAME } });
    this.#nodeUID = node.metadata.uid ?? '';
    await this.client.create('/api/v1/namespaces', { metadata: { name: BUNDLE_NAMESPACE } });
    await giveAccount(this.client, NAME);
    const state = {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'NodeState',
      metadata: { name: NAME },
      spec: {},
    };
    await until('the kind is served', async () => {
      await this.client.apply(PATH, state, { fieldManager: 'test' });
      return true;
    });
    await this.machine.build();
    const etc = join(this.machine.root, 'etc');
    await mkdir(etc, { recursive: true });
    await writeFile(join(etc, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    await writeFile(join(etc, 'group'), 'root:x:0:\n');
    await this.machine.boot();
  }
}
