import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { KubeClient } from '#runtime/client/client.ts';

const IN = `namespaces/${BUNDLE_NAMESPACE}`;
const RBAC = `/apis/rbac.authorization.k8s.io/v1/${IN}`;

/** The Secret of a node, and the account that may read it, as operators/node-config would make them. */
export async function giveAccount(client: KubeClient, node: string): Promise<void> {
  const metadata = { name: node };
  const [secret, account] = ['secrets', 'serviceaccounts'].map((kind) => `/api/v1/${IN}/${kind}`);
  await client.create(secret!, { metadata, type: 'careen.dev/node-config' });
  await client.create(account!, { metadata });
  const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: [node], verbs: ['get'] };
  await client.create(`${RBAC}/roles`, { metadata, rules: [rule] });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: node };
  const subject = { kind: 'ServiceAccount', name: node, namespace: BUNDLE_NAMESPACE };
  await client.create(`${RBAC}/rolebindings`, { metadata, roleRef, subjects: [subject] });
}
