import { SAMPLES } from '#api/crd/samples.ts';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { AGENT_NAMESPACE, NAMESPACE } from './release.ts';

const node = '/api/v1/nodes/node-a';
const state = resourcePath('NodeState', 'node-a');
const spec = { update: null };
const status = { bootID: 'stolen' };
type Attempt = (thief: KubeClient, admin: KubeClient) => Promise<unknown>;

/** What a thief of an agent's token on node-a might try; each request is well-formed. */
export const ATTEMPTS: Record<string, Attempt> = {
  "patch another node's status": (one) => one.mergePatch(statusOf('node-b'), { status }),
  "apply another node's status": (one) =>
    one.apply(
      statusOf('node-b'),
      { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name: 'node-b' }, status },
      { fieldManager: 'careen-agent', force: true },
    ),
  "replace another node's status": async (one, admin) =>
    one.replace(statusOf('node-b'), await admin.get(resourcePath('NodeState', 'node-b'))),
  'patch its own spec': (one) => one.mergePatch(state, { spec }),
  'replace its own NodeState': async (one, admin) => one.replace(state, await admin.get(state)),
  'apply its own spec': (one) =>
    one.apply(
      state,
      { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name: 'node-a' }, spec: {} },
      { fieldManager: 'careen-update', force: true },
    ),
  'delete its own NodeState': (one) => one.delete(state),
  'create a NodeState': (one) =>
    one.create(resourcePath('NodeState'), {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      metadata: { name: 'x' },
    }),
  'cordon its node': (one) => one.mergePatch(node, { spec: { unschedulable: true } }),
  "patch its node's status": (one) => one.mergePatch(`${node}/status`, { status: { conditions: [] } }),
  'delete its node': (one) => one.delete(node),
  'list nodes': (one) => one.list('/api/v1/nodes'),
  'list pods': (one) => one.list('/api/v1/pods'),
  'read its own pod': (one) => one.get(inNamespace('pods/agent-a')),
  'delete its own pod': (one) => one.delete(inNamespace('pods/agent-a')),
  'create a pod': (one) =>
    one.create(inNamespace('pods'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'evil' },
      spec: { nodeName: 'node-b', containers: [{ name: 'x', image: 'x' }] },
    }),
  'evict a pod': (one) =>
    one.create(inNamespace('pods/agent-a/eviction'), {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'agent-a', namespace: AGENT_NAMESPACE },
    }),
  'read secrets': (one) => one.list('/api/v1/secrets'),
  'read config maps': (one) => one.list(inNamespace('configmaps')),
  'issue itself a token': (one) =>
    one.create(inNamespace('serviceaccounts/careen-agent/token'), {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
  'read the groups': (one) => one.list(resourcePath('NodeGroup')),
  'make a lock': (one) =>
    one.create(resourcePath('RebootLock'), {
      apiVersion: API_VERSION,
      kind: 'RebootLock',
      ...SAMPLES.RebootLock,
    }),
  'open a window': (one) =>
    one.create(resourcePath('RebootWindow'), {
      apiVersion: API_VERSION,
      kind: 'RebootWindow',
      ...SAMPLES.RebootWindow,
    }),
  'publish a release': (one) =>
    one.create(resourcePath('UpdateChannel'), {
      apiVersion: API_VERSION,
      kind: 'UpdateChannel',
      ...SAMPLES.UpdateChannel,
    }),
  'write an event': (one) =>
    one.create('/apis/events.k8s.io/v1/namespaces/default/events', {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
    }),
  'take the lease of an operator': (one) =>
    one.mergePatch(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/careen-update`, {
      spec: { holderIdentity: 'evil' },
    }),
  'remove the policy': (one) =>
    one.delete('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/careen-agent'),
  'give itself rights': (one) =>
    one.mergePatch('/apis/rbac.authorization.k8s.io/v1/clusterroles/careen-agent', { rules: [] }),
};

/** Those of them that careen's own policy refuses, whatever RBAC allows. */
export const OF_CAREEN = [
  "patch another node's status",
  "apply another node's status",
  "replace another node's status",
  'patch its own spec',
  'replace its own NodeState',
  'apply its own spec',
  'delete its own NodeState',
  'create a NodeState',
  'make a lock',
  'open a window',
  'publish a release',
];

function statusOf(node: string): string {
  return `${resourcePath('NodeState', node)}/status`;
}

function inNamespace(path: string): string {
  return `/api/v1/namespaces/${AGENT_NAMESPACE}/${path}`;
}
