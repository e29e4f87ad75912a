import { isReady, type KubeObject, type Pod } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import type { Stack } from '#test/stack/stack.ts';
import { STUBBORN, stubbornWorkload } from '#test/stack/stubborn-workload.ts';

const { name, budget, namespace } = STUBBORN;
const PODS = `/api/v1/namespaces/${namespace}/pods`;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const BUDGETS = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
const WITHIN_MS = 240_000;

interface Budget extends KubeObject {
  status?: { currentHealthy?: number };
}

/** Has a pod run that its budget does not let go, on any node or on `node`; the node that it runs on. */
export async function placeStubborn({ client }: Pick<Stack, 'client'>, node?: string): Promise<string> {
  const [deployment, kept] = stubbornWorkload(node);
  await client.create(DEPLOYMENTS, deployment);
  await client.create(BUDGETS, kept);
  let on: string | undefined;
  const holds = async () => {
    const { items } = await client.list<Pod>(PODS, { labelSelector: `app=${name}` });
    on = items.find((pod) => isReady(pod))?.spec?.nodeName;
    const { status } = await client.get<Budget>(`${BUDGETS}/${budget}`);
    return on !== undefined && status?.currentHealthy === 1;
  };
  await until('a pod runs that its budget keeps', holds, { timeoutMs: WITHIN_MS, everyMs: 100 });
  return on ?? '';
}

/** As `placeStubborn`, and the pod stays on its node even when it is evicted: until it is removed. */
export async function placeImmovable(stack: Pick<Stack, 'client'>, node: string): Promise<void> {
  await placeStubborn(stack, node);
  await setFinalizers(stack.client, ['example.com/immovable']);
}

/** Lets it go, without its budget. */
export async function freeStubborn({ client }: Pick<Stack, 'client'>): Promise<void> {
  await remove(client, `${BUDGETS}/${budget}`);
}

/** Nothing of it is left. */
export async function removeStubborn(stack: Pick<Stack, 'client'>): Promise<void> {
  await freeStubborn(stack);
  await remove(stack.client, `${DEPLOYMENTS}/${name}`);
  await setFinalizers(stack.client, null);
}

async function setFinalizers(client: KubeClient, finalizers: readonly string[] | null): Promise<void> {
  const { items } = await client.list<Pod>(PODS, { labelSelector: `app=${name}` });
  for (const { metadata } of items) {
    const patch = client.mergePatch(`${PODS}/${metadata.name}`, { metadata: { finalizers } });
    await patch.catch(unlessGone);
  }
}

async function remove(client: KubeClient, path: string): Promise<void> {
  await client.delete(path, { propagationPolicy: 'Background' }).catch(unlessGone);
}

function unlessGone(error: unknown): void {
  if (!isKubeError(error, 'NotFound')) throw error;
}
