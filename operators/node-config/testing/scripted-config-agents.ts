import { BUNDLE_KEY, BUNDLE_NAMESPACE, type ConfigBundle } from '#api/config-document.ts';
import type { ConfigPhase } from '#api/config-errors.ts';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { sha256 } from '#api/config-hash.ts';
import { openBundle } from '#agent/config/bundle/open-bundle.ts';
import { BOOT, WatchingAgents } from '#operators/testing/watching-agents.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Log } from '#runtime/log/log.ts';

/**
 * For tests and benchmarks: the agents of all nodes at once. They read their bundles as real ones do, but with a
 * client of the test's, and write what real ones would; no disk is touched.
 */
export class ScriptedConfigAgents {
  /** Whether what the bundle says fails on the node: it is undone then. */
  fails: (node: string, bundle: ConfigBundle) => boolean = () => false;
  /** Whether a node that was told may begin now. */
  mayApply: (node: string) => boolean = () => true;
  /** Nodes in the order in which they applied, and what. */
  readonly applied: { node: string; hash: string }[] = [];

  readonly #client: KubeClient;
  readonly #agents: WatchingAgents;

  constructor(client: KubeClient, log: Log) {
    this.#client = client;
    this.#agents = new WatchingAgents({ client, log, workers: 8, act: (name) => this.#act(name) });
  }

  /** Makes a Ready Node and its NodeState, and reports for the first time. */
  async join(name: string, labels: Record<string, string> = {}): Promise<void> {
    const uid = await this.#agents.join(name, labels);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
    const state = { apiVersion: API_VERSION, kind: 'NodeState', metadata: { name, ownerReferences } };
    await this.#client.create(resourcePath('NodeState'), state);
    const config = { phase: 'Idle', since: new Date().toISOString() };
    await this.#agents.report(name, { bootID: BOOT, config });
  }

  start(): void {
    this.#agents.start();
  }

  stop(): Promise<void> {
    return this.#agents.stop();
  }

  /** Has every agent look again, as after `mayApply` changed. */
  wake(): void {
    this.#agents.wake();
  }

  /** What a kubelet says of its node. */
  beat(name: string): Promise<void> {
    return this.#agents.beat(name);
  }

  async bundle(name: string, hash: string, generation: number): Promise<ConfigBundle> {
    const path = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets/${name}`;
    const { data } = await this.#client.get<{ data?: Record<string, string> }>(path);
    const node = { name, uid: this.#agents.uid(name) ?? '' };
    return openBundle(Buffer.from(data?.[BUNDLE_KEY] ?? '', 'base64'), { node, hash, generation });
  }

  async #act(name: string): Promise<{ requeueAfterMs: number } | undefined> {
    const state = this.#agents.state(name);
    if (state?.status?.config === undefined || this.#agents.uid(name) === undefined) return undefined;
    try {
      const next = await this.#step(name, state);
      if (next === undefined) return undefined;
      await this.#report(name, next, state.metadata.resourceVersion);
    } catch (error) {
      if (!isKubeError(error, 'Conflict') && !isKubeError(error, 'NotFound')) throw error;
      return { requeueAfterMs: 50 };
    }
    return undefined;
  }

  /**
   * What a node applied is listed before anybody can read of it, and struck out where the report was not taken: it is
   * made again then.
   */
  async #report(name: string, config: object, resourceVersion: string | undefined): Promise<void> {
    const { applied: hash } = config as { applied?: unknown };
    const entries = typeof hash === 'string' ? [{ node: name, hash }] : [];
    this.applied.push(...entries);
    try {
      await this.#agents.report(name, { config }, resourceVersion);
    } catch (error) {
      for (const entry of entries) this.#strike(entry);
      throw error;
    }
  }

  #strike(entry: { node: string; hash: string }): void {
    const at = this.applied.indexOf(entry);
    if (at >= 0) this.applied.splice(at, 1);
  }

  /** Planned, then Applying, then Applied or Reverted; told at once, it does not plan first. */
  async #step(name: string, { spec, status }: NodeState): Promise<object | undefined> {
    const { hash, generation = 1, apply, rendered } = spec?.config ?? {};
    const config = status?.config;
    const since = new Date().toISOString();
    if (hash === undefined) {
      return config?.applied === undefined ? undefined : { phase: 'Idle', since, ...NOTHING };
    }
    const say = (phase: ConfigPhase, more: object = {}) => ({ phase, hash, generation, since, ...more });
    if (config?.phase === 'Applying' && config.hash === hash) {
      return this.#end(name, say, { hash, generation, rendered }, config);
    }
    const isNew = config?.hash !== hash || (config.generation ?? 0) < generation;
    if (!isNew && !(config.phase === 'Planned' && apply === true)) return undefined;
    if (isNew && config?.applied === hash) return say('Applied', { error: null });
    const { document } = await this.bundle(name, hash, generation);
    const plan = { hash: sha256(JSON.stringify(document.files)), changes: [], more: 0, actions: [] };
    const planned = { plan: { ...plan, drains: false, reboots: false }, error: null };
    if (apply !== true || !this.mayApply(name)) return isNew ? say('Planned', planned) : undefined;
    return say('Applying', planned);
  }

  async #end(
    name: string,
    say: (phase: ConfigPhase, more?: object) => object,
    { hash, generation, rendered }: { hash: string; generation: number; rendered: string | undefined },
    before: { applied?: string | undefined; appliedRendered?: string | undefined },
  ): Promise<object> {
    if (this.fails(name, await this.bundle(name, hash, generation))) {
      return say('Reverted', { error: { code: 'ProbeFailed', message: 'a probe did not pass' } });
    }
    const lastGood = { lastGood: before.applied ?? null, lastGoodRendered: before.appliedRendered ?? null };
    return say('Applied', { applied: hash, appliedRendered: rendered, ...lastGood, error: null });
  }
}

const NOTHING = {
  hash: null,
  generation: null,
  applied: null,
  appliedRendered: null,
  lastGood: null,
  lastGoodRendered: null,
  plan: null,
  error: null,
};
