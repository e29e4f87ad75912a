import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findTools } from './binaries/binaries.ts';
import { ClusterError } from './cluster-error.ts';
import type { Cluster } from './cluster.ts';
import { guardedDirectory } from './guardian.ts';
import { kubeconfig } from './kubeconfig.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/**
 * A handle on a cluster that somebody else runs, through the current context of the kubeconfig that was named
 * for this purpose. Stopping the handle leaves the cluster alone.
 * @throws ClusterError NotOurs from whatever would need the control plane's own keys or processes
 */
export async function givenCluster(file: string): Promise<Cluster> {
  const began = performance.now();
  const tools = await findTools();
  const server = await describe(tools.kubectl, file);
  const directory = await guardedDirectory('careen-cluster-');
  return {
    kubeconfig: file,
    ...server,
    directory: directory.path,
    auditLog: path.join(directory.path, 'audit.log'),
    egressSocket: undefined,
    tools,
    pids: { etcd: 0, apiServer: 0, controllerManager: 0, scheduler: 0 },
    startedInMs: Math.round(performance.now() - began),
    issueClientCert: notOurs('sign a client certificate'),
    issueServerCert: notOurs('sign a server certificate'),
    writeKubeconfig: async (config) => {
      const written = path.join(directory.path, `${config.name}.kubeconfig`);
      await writeFile(written, kubeconfig(server, config), { mode: 0o600 });
      return written;
    },
    stopApiServer: notOurs('stop the API server'),
    startApiServer: notOurs('start the API server'),
    restartApiServer: notOurs('restart the API server'),
    defaultServiceAccount: (namespace = 'default') =>
      until(`${namespace} has its default ServiceAccount`, async () => {
        await run(tools.kubectl, ['--kubeconfig', file, '-n', namespace, 'get', 'serviceaccount', 'default']);
        return true;
      }),
    stop: () => directory.remove(),
  };
}

async function describe(kubectl: string, file: string): Promise<{ url: string; caPem: string }> {
  const view = ['--kubeconfig', file, 'config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'];
  const { stdout } = await run(kubectl, view);
  const config = JSON.parse(stdout) as {
    clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  };
  const cluster = config.clusters[0]?.cluster;
  if (cluster === undefined) throw new ClusterError('NotOurs', `${file} has no current context: set one`);
  const ca = cluster['certificate-authority-data'] ?? '';
  return { url: cluster.server, caPem: Buffer.from(ca, 'base64').toString() };
}

function notOurs(what: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new ClusterError('NotOurs', `cannot ${what} of a given cluster: unset CAREEN_KUBECONFIG to start one`),
    );
}
