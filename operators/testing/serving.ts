import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { API_VERSION, PLURALS, type Kind, resourcePath } from '#api/group.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';

const CRDS = new URL('../../crds', import.meta.url).pathname;

/** A control plane that serves our kinds, and an administrator's client with that user agent. */
export async function startServing(
  userAgent: string,
  qps = 500,
): Promise<{ cluster: Cluster; client: KubeClient }> {
  const cluster = await startCluster();
  const { kubeconfig, tools } = cluster;
  await promisify(execFile)(tools.kubectl, ['--kubeconfig', kubeconfig, 'apply', '-f', CRDS]);
  const client = KubeClient.load({ kubeconfig, userAgent, qps });
  await until('our kinds are served', async () => {
    for (const kind of Object.keys(PLURALS) as Kind[]) await client.list(resourcePath(kind));
    return true;
  });
  return { cluster, client };
}

/** Makes the object's spec this one, as `kubectl apply` by a person would. */
export async function applyObject(client: KubeClient, kind: Kind, name: string, spec: object): Promise<void> {
  const body = { apiVersion: API_VERSION, kind, metadata: { name }, spec };
  await client.apply(resourcePath(kind, name), body, { fieldManager: 'test', force: true });
}
