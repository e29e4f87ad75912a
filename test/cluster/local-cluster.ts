import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ApiServer } from './api-server.ts';
import { findBinaries, type Binaries } from './binaries/binaries.ts';
import type { Cluster, ClusterOptions, ControlPlanePids } from './cluster.ts';
import { diedEarly, type Component } from './component.ts';
import { startControllerManager } from './controller-manager.ts';
import { startEtcd } from './etcd.ts';
import { guardedDirectory, type GuardedDirectory } from './guardian.ts';
import { kubeconfig, type Credential } from './kubeconfig.ts';
import { Authority, serviceAccountKeys, type Client, type KeyPair, type ServerNames } from './pki.ts';
import { startScheduler } from './scheduler.ts';
import { until } from './until.ts';

/** The processes of a running control plane, and what they were given. */
interface Parts {
  directory: GuardedDirectory;
  binaries: Binaries;
  authority: Authority;
  apiServer: ApiServer;
  adminKubeconfig: string;
  /** etcd, kube-controller-manager, kube-scheduler. */
  others: readonly [Component, Component, Component];
  startedInMs: number;
}

/** A control plane of our own, on this machine. */
export class LocalCluster implements Cluster {
  readonly kubeconfig: string;
  readonly url: string;
  readonly caPem: string;
  readonly directory: string;
  readonly auditLog: string;
  readonly egressSocket: string;
  readonly tools: { readonly kubectl: string; readonly helm: string };
  readonly startedInMs: number;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.kubeconfig = parts.adminKubeconfig;
    this.url = parts.apiServer.url;
    this.caPem = parts.authority.certPem;
    this.directory = parts.directory.path;
    this.auditLog = parts.apiServer.auditLog;
    this.egressSocket = parts.apiServer.egressSocket;
    this.tools = { kubectl: parts.binaries.kubectl, helm: parts.binaries.helm };
    this.startedInMs = parts.startedInMs;
  }

  /** See `startCluster`. */
  static async start(options: ClusterOptions): Promise<LocalCluster> {
    const binaries = await findBinaries({ progress: options.progress });
    const directory = await guardedDirectory('careen-cluster-');
    try {
      return new LocalCluster(await startParts(directory, binaries, options));
    } catch (error) {
      await directory.remove();
      throw error;
    }
  }

  get pids(): ControlPlanePids {
    const [etcd, controllerManager, scheduler] = this.#parts.others;
    return {
      etcd: etcd.process.pid,
      apiServer: this.#parts.apiServer.pid ?? 0,
      controllerManager: controllerManager.process.pid,
      scheduler: scheduler.process.pid,
    };
  }

  issueClientCert(client: Client): Promise<KeyPair> {
    return this.#parts.authority.issueClient(client);
  }

  issueServerCert(names: ServerNames): Promise<KeyPair> {
    return this.#parts.authority.issueServer(names);
  }

  writeKubeconfig(config: { name: string } & Credential): Promise<string> {
    return writeKubeconfig(this.#parts.directory, this, config);
  }

  stopApiServer(): Promise<void> {
    return this.#parts.apiServer.stop();
  }

  async startApiServer(): Promise<void> {
    await this.#parts.apiServer.start();
    await this.#parts.apiServer.ready();
  }

  async restartApiServer(options: { downMs?: number | undefined } = {}): Promise<void> {
    await this.#parts.apiServer.restart(options.downMs ?? 0);
  }

  async defaultServiceAccount(namespace = 'default'): Promise<void> {
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await until(`${namespace} has its default ServiceAccount`, () =>
      this.#parts.apiServer.client.answers(account),
    );
  }

  stop(): Promise<void> {
    return this.#parts.directory.remove();
  }
}

async function startParts(
  directory: GuardedDirectory,
  binaries: Binaries,
  options: ClusterOptions,
): Promise<Parts> {
  const began = performance.now();
  const [etcd, authority, keys] = await Promise.all([
    startEtcd(directory, binaries.etcd),
    Authority.create('careen test'),
    serviceAccountKeys(),
  ]);
  const admin = await authority.issueClient({ user: 'admin', groups: ['system:masters'] });
  const apiServer = await ApiServer.prepare({
    directory,
    binary: binaries['kube-apiserver'],
    etcdUrl: etcd.url,
    authority,
    serviceAccountKeys: keys,
    admin,
    flags: options.apiServerFlags,
  });
  await apiServer.start();
  const server = { url: apiServer.url, caPem: authority.certPem };
  const adminKubeconfig = await writeKubeconfig(directory, server, { name: 'admin', ...admin });
  const system = async (name: string) =>
    writeKubeconfig(directory, server, {
      name,
      ...(await authority.issueClient({ user: `system:${name}` })),
    });
  await Promise.race([apiServer.ready(), diedEarly(etcd.component)]);
  const [controllerManager, scheduler] = await Promise.all([
    startControllerManager(
      directory,
      binaries['kube-controller-manager'],
      await system('kube-controller-manager'),
    ),
    startScheduler(directory, binaries['kube-scheduler'], await system('kube-scheduler')),
  ]);
  const startedInMs = Math.round(performance.now() - began);
  const others = [etcd.component, controllerManager, scheduler] as const;
  return { directory, binaries, authority, apiServer, adminKubeconfig, others, startedInMs };
}

async function writeKubeconfig(
  directory: GuardedDirectory,
  server: { url: string; caPem: string },
  config: { name: string } & Credential,
): Promise<string> {
  const file = path.join(directory.path, `${config.name}.kubeconfig`);
  await writeFile(file, kubeconfig(server, config), { mode: 0o600 });
  return file;
}
