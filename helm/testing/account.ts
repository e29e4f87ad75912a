import { KubeClient } from '#runtime/client/client.ts';
import type { Cluster } from '#test/cluster/cluster.ts';

/** The pod that a token is bound to, as the kubelet binds the tokens that it projects. */
export interface Pod {
  name: string;
  uid: string;
}

/**
 * A client that acts as a ServiceAccount, by a token that the API server issued for it; bound to `pod` if given.
 */
export async function actAs(
  cluster: Cluster,
  admin: KubeClient,
  { namespace, name, pod }: { namespace: string; name: string; pod?: Pod },
): Promise<KubeClient> {
  const boundObjectRef = pod && { apiVersion: 'v1', kind: 'Pod', ...pod };
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600, ...(boundObjectRef && { boundObjectRef }) },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status } = await admin.create<{ status: { token: string } }>(path, request);
  const kubeconfig = await cluster.writeKubeconfig({
    name: [name, pod?.name ?? 'unbound'].join('-'),
    token: status.token,
  });
  return KubeClient.load({ kubeconfig, userAgent: 'careen-test', qps: 1000 });
}
