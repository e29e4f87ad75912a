import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import { API_VERSION, type Kind, resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { createLogger } from '#runtime/log/log.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { guarded, type GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { ScriptedConfigAgents } from './scripted-config-agents.ts';

const root = new URL('../../../', import.meta.url).pathname;
/** Exit status of an operator that does not lead any more. */
const LEASE_LOST = 1;

interface AuditEvent {
  verb: string;
  userAgent?: string;
  objectRef?: { resource: string; namespace?: string; name?: string; subresource?: string };
  responseStatus?: { code: number };
}

/** A control plane with replicas of the real operator and scripted agents. */
export class ConfigCluster {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly agents: ScriptedConfigAgents;
  readonly #replicas = new Map<string, GuardedProcess>();
  /** What the operators said, on both outputs. */
  readonly logs: string[] = [];

  private constructor(cluster: Cluster, client: KubeClient) {
    this.cluster = cluster;
    this.client = client;
    this.agents = new ScriptedConfigAgents(client, createLogger({ name: 'agents', level: 'error' }));
  }

  static async start(): Promise<ConfigCluster> {
    const cluster = await startCluster();
    const client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'config-test', qps: 2000 });
    const it = new ConfigCluster(cluster, client);
    const kubectl = promisify(execFile);
    await kubectl(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, 'apply', '-f', `${root}crds`]);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: BUNDLE_NAMESPACE } };
    await client.create('/api/v1/namespaces', namespace);
    await until('the CRDs are served', async () => {
      for (const kind of ['NodeState', 'NodeConfig', 'RenderedConfig'] as const) {
        await client.list(resourcePath(kind));
      }
      return true;
    });
    it.agents.start();
    return it;
  }

  /** One that ends because it lost its lease, as on a slow machine, is started again; a kubelet does the same. */
  async replica(name: string, ...flags: string[]): Promise<void> {
    const { kubeconfig } = this.cluster;
    const args = ['--kubeconfig', kubeconfig, '--namespace', 'default', '--identity', name];
    const pace = ['--address', '127.0.0.1:0', '--lease-duration', '3s', '--renew-deadline', '2s'];
    const rest = [
      '--retry-period',
      '500ms',
      '--source-namespaces',
      'default',
      '--log-level',
      'debug',
      ...flags,
    ];
    const program = `${root}operators/node-config/main.ts`;
    const started = await guarded(process.execPath, [program, ...args, ...pace, ...rest], {
      stderr: 'pipe',
      stdout: 'pipe',
    });
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (chunk: Buffer) => this.logs.push(chunk.toString()));
    this.#replicas.set(name, started);
    void started.exited.then((status) => {
      if (status === LEASE_LOST && this.#replicas.get(name) === started) return this.replica(name, ...flags);
    });
  }

  async killLeader(): Promise<string> {
    const lease = await this.client.get<{ spec: { holderIdentity: string } }>(
      '/apis/coordination.k8s.io/v1/namespaces/default/leases/careen-node-config',
    );
    const leader =
      [...this.#replicas.keys()].find((name) => lease.spec.holderIdentity.startsWith(name)) ?? '';
    const replica = this.#replicas.get(leader);
    this.#replicas.delete(leader);
    await replica?.kill();
    return leader;
  }

  async apply(kind: Kind, name: string, spec: object): Promise<void> {
    const body = { apiVersion: API_VERSION, kind, metadata: { name }, spec };
    await this.client.apply(resourcePath(kind, name), body, { fieldManager: 'test', force: true });
  }

  async states(): Promise<NodeState[]> {
    return (await this.client.list<NodeState>(resourcePath('NodeState'))).items;
  }

  /** Waits until the config is told of as `holds` says. */
  async config(name: string, what: string, holds: (config: NodeConfig) => boolean): Promise<NodeConfig> {
    let last: NodeConfig | undefined;
    try {
      await until(
        `NodeConfig ${name}: ${what}`,
        async () => {
          last = await this.client.get<NodeConfig>(resourcePath('NodeConfig', name));
          return last.status?.observedGeneration === last.metadata.generation && holds(last);
        },
        { timeoutMs: 120_000, everyMs: 100 },
      );
    } catch (error) {
      throw new Error(`NodeConfig ${name} is not ${what}: ${JSON.stringify(last?.status)}`, { cause: error });
    }
    return last as NodeConfig;
  }

  complete(name: string): Promise<NodeConfig> {
    return this.config(name, 'complete', ({ status }) => {
      return status?.conditions?.find(({ type }) => type === 'Complete')?.status === 'True';
    });
  }

  async everyState(what: string, holds: (state: NodeState) => boolean): Promise<void> {
    await until(`every node is ${what}`, async () => (await this.states()).every(holds), {
      timeoutMs: 120_000,
      everyMs: 100,
    });
  }

  /** Writes that the audit log has of the operator, by resource; those of its Lease and of events are left out. */
  async writes(): Promise<Map<string, number>> {
    const lines = (await readFile(this.cluster.auditLog, 'utf8')).trim().split('\n');
    const counts = new Map<string, number>();
    for (const line of lines) {
      const { verb, userAgent = '', objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
      const isWrite =
        ['create', 'update', 'patch', 'delete'].includes(verb) && (responseStatus?.code ?? 0) < 300;
      if (!isWrite || !userAgent.startsWith('careen-node-config')) continue;
      const { resource = '', subresource } = objectRef ?? {};
      if (resource === 'leases' || resource === 'events') continue;
      const key = subresource === undefined ? resource : `${resource}/${subresource}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** What the operators tell besides objects and logs. */
  async outputs(): Promise<{ metrics: string; commandLines: string }> {
    const ports = [
      ...this.logs.join('').matchAll(/"message":"listening".*?"port":(\d+)|"port":(\d+).*?"listening"/g),
    ];
    const answers = ports.map(([, one, other]) =>
      fetch(`http://127.0.0.1:${one ?? other}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      ),
    );
    const lines = [...this.#replicas.values()].map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'utf8'));
    return {
      metrics: (await Promise.all(answers)).join('\n'),
      commandLines: (await Promise.all(lines)).join('\n'),
    };
  }

  async stop(): Promise<void> {
    const last = [...this.#replicas.values()];
    this.#replicas.clear();
    await Promise.all(last.map((replica) => replica.stop()));
    await this.agents.stop();
    await this.client.close();
    await this.cluster.stop();
  }
}
