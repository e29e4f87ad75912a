import { API_VERSION, GROUP, resourcePath } from '#api/group.ts';
import type { NodeConfig, RenderedConfig } from '#api/kinds.ts';
import { canonicalJson } from '#api/config-hash.ts';
import type { RenderedConfigSpec } from '#api/rendered-config.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { RenderedDocument } from '../render/rendered.ts';
import type { World } from '../world.ts';
import { references } from './references.ts';

/** Keeps a RenderedConfig there, whoever deletes it, while a node has it. */
export const FINALIZER = `${GROUP}/in-use`;

export interface RenderedKeeperOptions {
  client: KubeClient;
  world: Pick<World, 'rendered' | 'stateList'>;
  /** How long one that no node has is kept, to go back to. */
  retentionMs: number;
  /** ms since the epoch. */
  now: () => number;
}

/** Least time between two writes of the count of nodes. */
const COUNT_MS = 10_000;
/** An object of the API server holds about 1.5 MB; the specs of the sources are left out where they would not fit. */
const MOST_BYTES = 1_200_000;

/** Makes RenderedConfigs, keeps those that nodes have, and deletes those that none has had for a while. */
export class RenderedKeeper {
  readonly #options: RenderedKeeperOptions;
  readonly #unusedSince = new Map<string, number>();
  readonly #countedAt = new Map<string, number>();
  /** As they were last seen, of those that vanished although a finalizer was on them. */
  readonly #lost = new Map<string, RenderedConfig>();
  /** Those that the plan under way gives to nodes. */
  #planned: ReadonlySet<string> = new Set();

  constructor(options: RenderedKeeperOptions) {
    this.#options = options;
  }

  /** Call before nodes are given them: none of these is deleted. */
  plan(names: ReadonlySet<string>): void {
    this.#planned = names;
  }

  lost(object: RenderedConfig): void {
    this.#lost.set(object.metadata.name, object);
  }

  /** Makes the object unless it is there. */
  async make(document: RenderedDocument, configs: readonly NodeConfig[], signal: AbortSignal): Promise<void> {
    if (this.#options.world.rendered.get(document.name) !== undefined) return;
    await this.#create(document.name, specOf(document, configs), signal);
  }

  async reconcile(name: string, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { world } = this.#options;
    const nodes = references(world.stateList()).get(name) ?? 0;
    const isUsed = nodes > 0 || this.#planned.has(name);
    const object = world.rendered.get(name);
    if (object === undefined) return this.#restore(name, isUsed, signal);
    this.#lost.delete(name);
    try {
      if (object.metadata.deletionTimestamp !== undefined) {
        if (!isUsed) await this.#finalize(object, false, signal);
        return isUsed ? await this.#count(object, nodes, signal) : undefined;
      }
      if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) await this.#finalize(object, true, signal);
      const waits = [await this.#count(object, nodes, signal), await this.#expire(object, isUsed, signal)];
      const due = waits.map((wait) => wait?.requeueAfterMs).filter((ms) => ms !== undefined);
      return due.length === 0 ? undefined : { requeueAfterMs: Math.min(...due) };
    } catch (error) {
      if (!isKubeError(error, 'Conflict') && !isKubeError(error, 'NotFound')) throw error;
      return { requeueAfterMs: 1000 };
    }
  }

  async #restore(name: string, isUsed: boolean, signal: AbortSignal): Promise<ReconcileResult> {
    this.#unusedSince.delete(name);
    this.#countedAt.delete(name);
    const lost = this.#lost.get(name);
    this.#lost.delete(name);
    if (isUsed && lost !== undefined) await this.#create(name, lost.spec, signal);
  }

  async #count(object: RenderedConfig, nodes: number, signal: AbortSignal): Promise<ReconcileResult> {
    if (object.status?.nodes === nodes) return;
    const { client, world, now } = this.#options;
    const { name } = object.metadata;
    const waitMs = (this.#countedAt.get(name) ?? -Infinity) + COUNT_MS - now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const path = `${resourcePath('RenderedConfig', name)}/status`;
    const next = { ...object, status: { nodes } };
    world.rendered.wrote(await client.replace<RenderedConfig>(path, next, undefined, { signal }));
    this.#countedAt.set(name, now());
  }

  async #expire(
    { metadata }: RenderedConfig,
    isUsed: boolean,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { client, retentionMs, now } = this.#options;
    const { name, uid } = metadata;
    if (isUsed) return void this.#unusedSince.delete(name);
    const since = this.#unusedSince.get(name) ?? now();
    this.#unusedSince.set(name, since);
    const waitMs = since + retentionMs - now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    await client.delete(resourcePath('RenderedConfig', name), { uid }, { signal });
  }

  async #finalize({ metadata }: RenderedConfig, isOn: boolean, signal: AbortSignal): Promise<void> {
    const { client, world } = this.#options;
    const { name, resourceVersion } = metadata;
    const others = (metadata.finalizers ?? []).filter((one) => one !== FINALIZER);
    const finalizers = isOn ? [...others, FINALIZER] : others;
    const body = { metadata: { resourceVersion, finalizers } };
    const path = resourcePath('RenderedConfig', name);
    const written = await client.mergePatch<RenderedConfig>(path, body, undefined, { signal });
    if (isOn) world.rendered.wrote(written);
  }

  async #create(name: string, spec: RenderedConfigSpec, signal: AbortSignal): Promise<void> {
    const { client, world } = this.#options;
    const metadata = { name, finalizers: [FINALIZER] };
    const body = { apiVersion: API_VERSION, kind: 'RenderedConfig', metadata, spec };
    try {
      world.rendered.wrote(await client.create(resourcePath('RenderedConfig'), body, undefined, { signal }));
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    }
  }
}

function specOf({ json, sources }: RenderedDocument, configs: readonly NodeConfig[]): RenderedConfigSpec {
  const texts = new Map(configs.map(({ metadata, spec }) => [metadata.name, canonicalJson(spec)]));
  const full = sources.map((source) => ({ ...source, spec: texts.get(source.name) ?? '' }));
  const bytes = full.reduce((sum, { spec }) => sum + Buffer.byteLength(spec), Buffer.byteLength(json));
  return { document: json, sources: bytes > MOST_BYTES ? sources : full };
}
