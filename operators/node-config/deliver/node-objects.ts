import { API_VERSION, GROUP } from '#api/group.ts';
import { BUNDLE_KEY, BUNDLE_NAMESPACE, BUNDLE_TYPE } from '#api/config-document.ts';
import type { NodeState } from '#api/kinds.ts';
import type { KubeObject, ObjectMeta } from '#api/meta.ts';
import { sha256 } from '#api/config-hash.ts';

/** Of the bundle in a Secret, for people and for finding out whether it is the right one. */
export const HASH_ANNOTATION = `${GROUP}/config-hash`;
export const GENERATION_ANNOTATION = `${GROUP}/config-generation`;
export const DIGEST_ANNOTATION = `${GROUP}/bundle-digest`;
/** On everything that is made for one node. */
export const NODE_LABEL = `${GROUP}/node`;

const RBAC = 'rbac.authorization.k8s.io/v1';
const PART = { 'app.kubernetes.io/part-of': 'careen', 'app.kubernetes.io/managed-by': 'careen-node-config' };

export type NodeObjectKind = 'ServiceAccount' | 'Role' | 'RoleBinding' | 'Secret';

export interface NodeObject extends KubeObject {
  automountServiceAccountToken?: boolean;
  rules?: object[];
  roleRef?: object;
  subjects?: object[];
  type?: string;
  data?: Record<string, string>;
}

const COLLECTIONS: Record<NodeObjectKind, string> = {
  ServiceAccount: `/api/v1/namespaces/${BUNDLE_NAMESPACE}/serviceaccounts`,
  Role: `/apis/${RBAC}/namespaces/${BUNDLE_NAMESPACE}/roles`,
  RoleBinding: `/apis/${RBAC}/namespaces/${BUNDLE_NAMESPACE}/rolebindings`,
  Secret: `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`,
};

/** The kinds in the order in which they are made: the Secret last, when all that guards it is there. */
export const NODE_OBJECT_KINDS = ['ServiceAccount', 'Role', 'RoleBinding', 'Secret'] as const;

export function nodeObjectPath(kind: NodeObjectKind, name?: string): string {
  return name === undefined ? COLLECTIONS[kind] : `${COLLECTIONS[kind]}/${encodeURIComponent(name)}`;
}

/** A node's own account, and what lets it read its own Secret and nothing else. */
export function accountObjects(state: NodeState): NodeObject[] {
  const { name } = state.metadata;
  const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] };
  const account = { kind: 'ServiceAccount', name, namespace: BUNDLE_NAMESPACE };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  const metadata = metadataOf(state);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: RBAC, kind: 'Role', metadata, rules: [rule] },
    { apiVersion: RBAC, kind: 'RoleBinding', metadata, roleRef, subjects: [account] },
  ];
}

/** The Secret that carries a node's bundle, `packed` in base64. */
export function bundleSecret(
  state: NodeState,
  { hash, generation, packed }: { hash: string; generation: number; packed: string },
): NodeObject {
  const annotations = {
    [HASH_ANNOTATION]: hash,
    [GENERATION_ANNOTATION]: String(generation),
    [DIGEST_ANNOTATION]: sha256(packed),
  };
  const metadata = { ...metadataOf(state), annotations };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: BUNDLE_TYPE, data: { [BUNDLE_KEY]: packed } };
}

/** Gone with the NodeState, which goes with the Node. */
function metadataOf({ metadata: { name, uid = '' } }: NodeState): ObjectMeta {
  return {
    name,
    namespace: BUNDLE_NAMESPACE,
    labels: { ...PART, [NODE_LABEL]: name },
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'NodeState', name, uid }],
  };
}
