import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { resourcePath } from '#api/group.ts';
import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import type { GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { LONG_LEASE, startOperator } from '#operators/testing/replicas.ts';

const run = promisify(execFile);
const ROOT = new URL('../../../', import.meta.url).pathname;
export const NAMESPACE = 'careen-system';
const PODS = ['Deployment', 'DaemonSet', 'PodDisruptionBudget', 'Job', 'Pod'];

/** Everything of the chart but its pods; answers a kubeconfig with the operator's own token. */
export async function installChart(
  cluster: Cluster,
  client: KubeClient,
  values: readonly string[] = [],
): Promise<string> {
  const set = values.flatMap((value) => ['--set', value]);
  const chart = ['template', 'careen', `${ROOT}helm/careen`, '--no-hooks', '--namespace', NAMESPACE, ...set];
  const { stdout } = await run(cluster.tools.helm, chart);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject | null);
  const kept = objects.filter((object) => object !== null && !PODS.includes(object.kind ?? ''));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await apply(cluster, 'namespace', [namespace]);
  await apply(
    cluster,
    'crds',
    kept.filter((object) => isDefinition(object)),
  );
  await apply(
    cluster,
    'rest',
    kept.filter((object) => !isDefinition(object)),
  );
  await until('the kinds are served', async () => {
    for (const kind of ['NodeState', 'NodeGroup', 'RebootLock', 'RebootWindow'] as const)
      await client.list(resourcePath(kind));
    return true;
  });
  const account = ['create', 'token', 'careen-reboot-lock', '--namespace', NAMESPACE, '--duration', '1h'];
  const token = await kubectl(cluster, account);
  return cluster.writeKubeconfig({ name: 'careen-reboot-lock', token: token.trim() });
}

function isDefinition(object: KubeObject | null): boolean {
  return object?.kind === 'CustomResourceDefinition';
}

async function apply(cluster: Cluster, name: string, objects: readonly unknown[]): Promise<void> {
  const path = `${cluster.directory}/${name}.yaml`;
  await writeFile(path, objects.map((object) => stringify(object)).join('---\n'));
  await kubectl(cluster, ['apply', '--server-side', '-f', path]);
}

async function kubectl(cluster: Cluster, args: readonly string[]): Promise<string> {
  const { stdout } = await run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args]);
  return stdout;
}

export interface ReplicaProcess extends GuardedProcess {
  /** Of its metrics. */
  port: number;
}

/** A process of the real operator; whoever wants it to lose its lease soon says so with `more`. */
export async function startReplica(
  kubeconfig: string,
  name: string,
  more: readonly string[] = [],
): Promise<ReplicaProcess> {
  const port = await freePort();
  const where = [`--namespace=${NAMESPACE}`, `--address=127.0.0.1:${port}`, '--log-level=warn'];
  const flags = [...where, ...LONG_LEASE, ...more];
  const outputs = { stdout: 'inherit' } as const;
  const replica = await startOperator({ kubeconfig }, 'operators/reboot-lock/main.ts', name, flags, outputs);
  return Object.assign(replica, { port });
}
