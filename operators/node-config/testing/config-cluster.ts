import { readFile } from 'node:fs/promises';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import { type Kind, resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { createLogger } from '#runtime/log/log.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { auditEvents } from '#test/observer/audit.ts';
import { ScriptedConfigAgents } from './scripted-config-agents.ts';
import { LONG_LEASE, Replicas, startOperator } from '#operators/testing/replicas.ts';
import { applyObject, startServing } from '#operators/testing/serving.ts';

/** A control plane with replicas of the real operator and scripted agents. */
export class ConfigCluster {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly agents: ScriptedConfigAgents;
  readonly #replicas = new Replicas();
  /** What the operators said, on both outputs. */
  readonly logs: string[] = [];

  private constructor(cluster: Cluster, client: KubeClient) {
    this.cluster = cluster;
    this.client = client;
    this.agents = new ScriptedConfigAgents(client, createLogger({ name: 'agents', level: 'error' }));
  }

  static async start(): Promise<ConfigCluster> {
    const { cluster, client } = await startServing('config-test', 2000);
    const it = new ConfigCluster(cluster, client);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: BUNDLE_NAMESPACE } };
    await client.create('/api/v1/namespaces', namespace);
    it.agents.start();
    return it;
  }

  replica(name: string, ...flags: string[]): Promise<void> {
    // A change of the leader costs writes that tests count, and forgets which Secrets do not stand still yet.
    const more = [...LONG_LEASE, '--source-namespaces=default', '--log-level=debug', ...flags];
    return this.#replicas.start(name, async () => {
      const outputs = { stdout: 'pipe', stderr: 'pipe' } as const;
      const started = await startOperator(this.cluster, 'operators/node-config/main.ts', name, more, outputs);
      for (const stream of [started.stdout, started.stderr])
        stream?.on('data', (chunk: Buffer) => this.logs.push(chunk.toString()));
      return started;
    });
  }

  async killLeader(): Promise<string> {
    const lease = await this.client.get<{ spec: { holderIdentity: string } }>(
      '/apis/coordination.k8s.io/v1/namespaces/default/leases/careen-node-config',
    );
    const leader = this.#replicas.holding(lease.spec.holderIdentity) ?? '';
    await this.#replicas.kill(leader);
    return leader;
  }

  apply(kind: Kind, name: string, spec: object): Promise<void> {
    return applyObject(this.client, kind, name, spec);
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
    const counts = new Map<string, number>();
    for await (const { verb, userAgent = '', objectRef, responseStatus } of auditEvents(
      this.cluster.auditLog,
    )) {
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
    const lines = this.#replicas.all().map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'utf8'));
    return {
      metrics: (await Promise.all(answers)).join('\n'),
      commandLines: (await Promise.all(lines)).join('\n'),
    };
  }

  async stop(): Promise<void> {
    await this.#replicas.stop();
    await this.agents.stop();
    await this.client.close();
    await this.cluster.stop();
  }
}
