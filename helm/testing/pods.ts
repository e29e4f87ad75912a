import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';

export interface PodSpec {
  serviceAccountName?: string;
  shareProcessNamespace?: boolean;
  containers: { volumeMounts?: ({ mountPath: string } & Record<string, unknown>)[] }[];
  volumes?: { hostPath?: { path: string } }[];
  topologySpreadConstraints?: { labelSelector?: object }[];
}

interface Template {
  spec?: PodSpec & { template?: { spec: PodSpec } };
}

/** The specs of all pods that these objects are or bring, by kind and name. */
export function podSpecs(objects: readonly KubeObject[]): Map<string, PodSpec> {
  const found = new Map<string, PodSpec>();
  for (const object of objects) {
    const { spec } = object as Template;
    const pod = object.kind === 'Pod' ? spec : spec?.template?.spec;
    if (pod !== undefined) found.set(`${object.kind} ${object.metadata.name}`, pod);
  }
  return found;
}

/** Tries pods in namespaces with a pod security level, by the API server's own admission. */
export class PodAttempts {
  readonly #cluster: Cluster;
  readonly #client: KubeClient;

  constructor(cluster: Cluster, client: KubeClient) {
    this.#cluster = cluster;
    this.#client = client;
  }

  async namespace(name: string, level: 'restricted' | 'privileged'): Promise<void> {
    const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': level } };
    await this.#client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
    await this.#cluster.defaultServiceAccount(name);
  }

  /** Rejects with the API server's words. */
  async attempt(spec: PodSpec | undefined, namespace: string): Promise<void> {
    const { serviceAccountName: _, ...rest } = spec ?? { containers: [] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: rest };
    await this.#client.create(`/api/v1/namespaces/${namespace}/pods`, pod, { dryRun: 'All' });
  }
}
