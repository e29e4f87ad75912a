import type { Pod } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isReady } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';

const PODS = '/api/v1/namespaces/careen-agent/pods';
const WITHIN_MS = 240_000;

interface RunningPod extends Pod {
  status?: Pod['status'] & { containerStatuses?: { containerID?: string }[] };
}

/** The agents' pods, and what an administrator can do to them. */
export class AgentPods {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** The pod that is there to stay. */
  async on(node: string): Promise<RunningPod> {
    const { items } = await this.#client.list<RunningPod>(PODS, { fieldSelector: `spec.nodeName=${node}` });
    const [pod] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (pod === undefined) throw new Error(`no agent is on ${node}`);
    return pod;
  }

  async container(node: string): Promise<string | undefined> {
    return (await this.on(node)).status?.containerStatuses?.[0]?.containerID;
  }

  /** Resolves when another pod has taken its place. */
  async evict(node: string): Promise<void> {
    const { metadata } = await this.on(node);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: metadata.name } };
    await this.#client.create(`${PODS}/${metadata.name}/eviction`, eviction);
    await this.#replaced(node, metadata.uid);
  }

  /** At once, as `kubectl delete --force`. Resolves when another pod has taken its place. */
  async remove(node: string): Promise<void> {
    const { metadata } = await this.on(node);
    await this.#client.delete(`${PODS}/${metadata.name}`, { gracePeriodSeconds: 0 });
    await this.#replaced(node, metadata.uid);
  }

  async #replaced(node: string, old: string | undefined): Promise<void> {
    const isNew = async () => {
      const pod = await this.on(node);
      return pod.metadata.uid !== old && isReady(pod);
    };
    await until(`another agent is on ${node}`, isNew, { timeoutMs: WITHIN_MS, everyMs: 100 });
  }
}
