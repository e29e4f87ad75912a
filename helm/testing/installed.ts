import { API_VERSION, resourcePath } from '#api/group.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import type { KubeObject } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { actAs, type Pod } from './account.ts';
import { AGENT_NAMESPACE, NAMESPACE, Release } from './release.ts';

/** A control plane with the chart on it, the nodes node-a and node-b, and a client for each account. */
export interface Installed {
  admin: KubeClient;
  /** The agent's account, by the token of a pod on node-a. */
  agent: KubeClient;
  /** The agent's account, by a token that is bound to nothing. */
  unbound: KubeClient;
  update: KubeClient;
  rebootLock: KubeClient;
  cluster: Cluster;
  stop(): Promise<void>;
}

export async function install(values: object = {}): Promise<Installed> {
  const cluster = await startCluster();
  const admin = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 5000 });
  await new Release(cluster).install({ values });
  for (const name of ['node-a', 'node-b']) await makeNode(admin, name);
  const ofAgent = { namespace: AGENT_NAMESPACE, name: 'careen-agent' };
  const clients = {
    admin,
    agent: await actAs(cluster, admin, { ...ofAgent, pod: await makePod(admin, 'agent-a', 'node-a') }),
    unbound: await actAs(cluster, admin, ofAgent),
    update: await actAs(cluster, admin, { namespace: NAMESPACE, name: 'careen-update' }),
    rebootLock: await actAs(cluster, admin, { namespace: NAMESPACE, name: 'careen-reboot-lock' }),
  };
  await policiesAct(clients);
  return {
    ...clients,
    cluster,
    async stop() {
      for (const client of Object.values(clients)) await client.close();
      await cluster.stop();
    },
  };
}

async function makeNode(admin: KubeClient, name: string): Promise<void> {
  await admin.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const { spec } = SAMPLES.NodeState;
  await until('NodeStates are served', async () => {
    const state = { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name }, spec };
    await admin.create(resourcePath('NodeState'), state);
    return true;
  });
}

/** A pod of the agent's account on a node; no kubelet runs it. */
export async function makePod(admin: KubeClient, name: string, nodeName: string): Promise<Pod> {
  const pod = await admin.create<KubeObject>(`/api/v1/namespaces/${AGENT_NAMESPACE}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName,
      serviceAccountName: 'careen-agent',
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'agent', image: 'careen/agent' }],
    },
  });
  return { name, uid: pod.metadata.uid ?? '' };
}

/** Admission policies take a moment from their creation to their first refusal. */
async function policiesAct({
  agent,
  update,
  rebootLock,
}: Omit<Installed, 'stop' | 'cluster'>): Promise<void> {
  const path = resourcePath('NodeState', 'node-b');
  await until('the policies refuse', async () => {
    return (
      (await refuses(agent.mergePatch(`${path}/status`, { status: { bootID: 'x' } }))) &&
      (await refuses(update.mergePatch(path, { spec: { reboot: null } }))) &&
      (await refuses(rebootLock.mergePatch(path, { spec: { update: null } })))
    );
  });
}

/** Whether a policy refused it; a refusal by RBAC is none. */
export async function refuses(attempt: Promise<unknown>): Promise<boolean> {
  const outcome = await attempt.catch((error: unknown) => error);
  return isKubeError(outcome, 'Forbidden') && outcome.message.includes('ValidatingAdmissionPolicy');
}
