import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { Node, Pod } from '#api/meta.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { CREW_SELECTOR } from '../drain/crew.ts';
import type { Cluster, Readiness, RebootSpec, Version } from './cluster.ts';

export const FIELD_MANAGER = 'careen-reboot-lock';

/** An eviction that is still being worked on by the server is asked again by the drain, not by the client. */
const EVICTION_TIMEOUT_MS = 8_000;

/** The cluster behind a real API server. `signal` ends all calls, when leadership is lost for instance. */
export function kubeCluster(client: KubeClient, signal: AbortSignal): Cluster {
  const options = { signal };
  return {
    readiness: async () => readinessOf(await client.table('/api/v1/nodes', undefined, options)),
    locks: async () => (await client.list<RebootLock>(resourcePath('RebootLock'), undefined, options)).items,
    node: (name) => found(client.get<Node>(nodePath(name), undefined, options)),
    state: (name) => found(client.get<NodeState>(resourcePath('NodeState', name), undefined, options)),
    pods: async (node) => {
      const query = { fieldSelector: `spec.nodeName=${node}` };
      return (await client.list<Pod>('/api/v1/pods', query, options)).items;
    },
    crew: async (namespace) => {
      const query = { labelSelector: CREW_SELECTOR };
      return (await client.list<Pod>(`/api/v1/namespaces/${namespace}/pods`, query, options)).items;
    },
    daemonSetExists: async (namespace, name) => {
      const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
      return (await found(client.get(path, undefined, options))) !== undefined;
    },
    writeLock: (of, status) =>
      client.mergePatch<RebootLock>(
        `${resourcePath('RebootLock', of.name)}/status`,
        { metadata: precondition(of), status },
        undefined,
        options,
      ),
    patchNode: (of, unschedulable, annotations) => {
      const spec = unschedulable === undefined ? {} : { spec: { unschedulable } };
      const body = { metadata: { ...precondition(of), annotations }, ...spec };
      return client.mergePatch<Node>(nodePath(of.name), body, { fieldManager: FIELD_MANAGER }, options);
    },
    applyConditions: (of, conditions) => {
      // Without force: a condition of that type that another tool set is its own.
      const metadata = { name: of.name, uid: of.uid };
      const body = { apiVersion: 'v1', kind: 'Node', metadata, status: { conditions } };
      const as = { fieldManager: FIELD_MANAGER };
      return client.apply<Node>(`${nodePath(of.name)}/status`, body, as, options);
    },
    applyReboot: (of, reboot) => applyReboot(client, of, reboot, signal),
    evict: (pod, grace) => evict(client, pod, grace, signal),
    remove: async (pod, grace) => {
      const { uid } = pod.metadata;
      await found(client.delete(podPath(pod), { uid, gracePeriodSeconds: grace }, options));
    },
  };
}

function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

function podPath({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

function precondition({ uid, resourceVersion }: Version) {
  return { uid, resourceVersion };
}

async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** The server prints `Ready`, `NotReady` or `Unknown`, and `,SchedulingDisabled` for a cordon. */
function readinessOf({ columns, rows }: { columns: string[]; rows: unknown[][] }): Readiness {
  const name = columns.indexOf('Name');
  const status = columns.indexOf('Status');
  if (name === -1 || status === -1) throw new Error('the table of nodes has no columns Name and Status');
  return new Map(
    rows.map((row) => {
      const words = String(row[status]).split(',');
      return [
        String(row[name]),
        { ready: words.includes('Ready'), cordoned: words.includes('SchedulingDisabled') },
      ];
    }),
  );
}

function applyReboot(
  client: KubeClient,
  of: Version,
  reboot: RebootSpec,
  signal: AbortSignal,
): Promise<NodeState> {
  const body = {
    apiVersion: API_VERSION,
    kind: 'NodeState',
    metadata: { name: of.name, ...precondition(of) },
    // An object whose last field goes away would become null; without it, it goes away itself.
    spec: Object.keys(reboot).length === 0 ? {} : { reboot },
  };
  const options = { fieldManager: FIELD_MANAGER, force: true };
  return client.apply<NodeState>(resourcePath('NodeState', of.name), body, options, { signal });
}

/**
 * The UID precondition keeps a pod of the same name elsewhere safe (kubernetes/kubernetes#138229). Who ends waits for
 * the answer to an eviction that is sent: the server takes the pod off its budget first and deletes it after that, and
 * when the caller goes away in between, the budget counts a pod as gone for two minutes that is there.
 */
async function evict(
  client: KubeClient,
  pod: Pod,
  grace: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = {
    preconditions: { uid },
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
  };
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
  signal.throwIfAborted();
  await client.create(`${podPath(pod)}/eviction`, body, undefined, { timeoutMs: EVICTION_TIMEOUT_MS });
}
