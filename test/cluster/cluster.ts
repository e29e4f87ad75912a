import { givenCluster } from './given-cluster.ts';
import type { Credential } from './kubeconfig.ts';
import { LocalCluster } from './local-cluster.ts';
import type { Client, KeyPair, ServerNames } from './pki.ts';

/** How to start a cluster. */
export interface ClusterOptions {
  /** Use this cluster instead of starting one. Default: CAREEN_KUBECONFIG, never the user's own current one. */
  kubeconfig?: string | undefined;
  /** Flags for the API server, after ours: the last of a repeated flag wins. */
  apiServerFlags?: readonly string[] | undefined;
  /** Gets a line for each long step (finding or building the binaries). Default: standard error. */
  progress?: ((line: string) => void) | undefined;
}

/** Process ids of the control plane. */
export interface ControlPlanePids {
  etcd: number;
  apiServer: number;
  controllerManager: number;
  scheduler: number;
}

/** A control plane to test on. */
export interface Cluster {
  /** Path of a kubeconfig of an administrator (group system:masters). */
  readonly kubeconfig: string;
  readonly url: string;
  /** The authority that signed the API server's certificate. */
  readonly caPem: string;
  /** A directory that vanishes with the cluster; logs are `<component>.log` in it. */
  readonly directory: string;
  /** The audit log: a JSON object (audit.k8s.io/v1 Event, level Metadata) a line for each finished request. */
  readonly auditLog: string;
  /**
   * Path of a unix socket on which the API server looks for an HTTP CONNECT proxy to its nodes (for logs and exec);
   * undefined for a cluster that was given.
   */
  readonly egressSocket: string | undefined;
  /** Paths of programs that fit this cluster. */
  readonly tools: { readonly kubectl: string; readonly helm: string };
  readonly pids: ControlPlanePids;
  /** Milliseconds from the call to a ready API server. */
  readonly startedInMs: number;
  /** A client certificate for any user and groups. */
  issueClientCert(client: Client): Promise<KeyPair>;
  /** A certificate for a server reached under these DNS names and addresses, such as a kubelet's. */
  issueServerCert(names: ServerNames): Promise<KeyPair>;
  /** Writes a kubeconfig that uses `credential`, and gives its path. */
  writeKubeconfig(config: { name: string } & Credential): Promise<string>;
  /** Kills the API server; etcd keeps everything. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port and waits until it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(options?: { downMs?: number | undefined }): Promise<void>;
  /** Waits for what kube-controller-manager makes last, about 2 s after its start: pods can be created then. */
  defaultServiceAccount(namespace?: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a real control plane: etcd, kube-apiserver (RBAC, Node authorization, NodeRestriction, ServiceAccount
 * tokens, admission policies), kube-controller-manager and kube-scheduler. Resolves when the API server is ready;
 * the other two are starting then. Several can run at once. Everything ends with this program, even by SIGKILL.
 * @throws ClusterError
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const given = options.kubeconfig ?? process.env['CAREEN_KUBECONFIG'];
  if (given !== undefined && given !== '') return givenCluster(given);
  return LocalCluster.start(options);
}
