import type { DrainPolicy } from '#api/node-group.ts';
import type { Pod } from '#api/meta.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { controllerOf, daemonSetOf } from './filter.ts';
import { planDrain, type Attempt, type DrainState } from './plan.ts';
import { readRefusal, type Answer } from './refusal.ts';

/** Evictions under way at once for one node. */
const PARALLEL = 8;
const FIRST_RETRY_MS = 1_000;

type Refusal = Extract<Answer, { blocked: string }>;

/**
 * The drain of one node, one pass at a time: list what is on the node now, evict what may be tried now. All that
 * it remembers is when each pod was last refused, so another process goes on where this one stopped.
 */
export class Drain {
  readonly #cluster: Cluster;
  readonly #node: string;
  readonly #now: () => number;
  readonly #attempts = new Map<string, Attempt>();
  /** Whether each DaemonSet that a pod names exists. */
  readonly #daemonSets = new Map<string, boolean>();

  constructor(cluster: Cluster, node: string, now: () => number) {
    this.#cluster = cluster;
    this.#node = node;
    this.#now = now;
  }

  /** One pass. `force` deletes without asking the pods' budgets. */
  async pass(policy: DrainPolicy, force: boolean): Promise<DrainState> {
    const pods = await this.#cluster.pods(this.#node);
    const missing = await this.#missingDaemonSets(pods);
    const input = { pods, policy, missing, force, attempts: this.#attempts };
    const { evict } = planDrain({ ...input, now: this.#now() });
    for (let first = 0; first < evict.length; first += PARALLEL) {
      const batch = evict.slice(first, first + PARALLEL);
      await Promise.all(batch.map((pod) => this.#evict(pod, policy.gracePeriodSeconds, force)));
    }
    const { done, remaining, blocked } = planDrain({ ...input, now: this.#now() });
    return { done, remaining, ...(blocked === undefined ? {} : { blocked }) };
  }

  async #evict(pod: Pod, grace: number | undefined, force: boolean): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    try {
      await (force ? this.#cluster.remove(pod, grace) : this.#cluster.evict(pod, grace));
      this.#attempts.delete(uid);
    } catch (error) {
      const answer = readRefusal(error);
      if ('gone' in answer) this.#attempts.delete(uid);
      else this.#refused(uid, pod, answer);
    }
  }

  /** Waits double from a second up to what the refusal asks for. */
  #refused(uid: string, { metadata }: Pod, { blocked, retryMs, soon }: Refusal): void {
    const now = this.#now();
    const since = this.#attempts.get(uid)?.since ?? now;
    const wait = soon ? Math.min(retryMs, Math.max(FIRST_RETRY_MS, now - since)) : retryMs;
    const why = blocked.replace('PodDisruptionBudget ', `PodDisruptionBudget ${metadata.namespace}/`);
    this.#attempts.set(uid, { since, notBefore: now + wait, why });
  }

  async #missingDaemonSets(pods: readonly Pod[]): Promise<Set<string>> {
    const missing = new Set<string>();
    for (const pod of pods) {
      const controller = controllerOf(pod);
      if (controller?.kind !== 'DaemonSet') continue;
      const key = daemonSetOf(pod, controller);
      const namespace = pod.metadata.namespace ?? '';
      const exists =
        this.#daemonSets.get(key) ?? (await this.#cluster.daemonSetExists(namespace, controller.name));
      this.#daemonSets.set(key, exists);
      if (!exists) missing.add(key);
    }
    return missing;
  }
}
