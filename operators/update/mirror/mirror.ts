import { mkdir, readdir, rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeGroup, UpdateChannel } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { Log } from '#runtime/log/log.ts';
import type { FileFetcher } from './fetch/fetch-file.ts';
import { fetchRelease } from './fetch/fetch-release.ts';
import type { Incoming } from './fetch/incoming.ts';
import type { MirrorMetrics } from './mirror-metrics.ts';
import { mirrorTurn, type Failure, type Turn } from './mirror-turn.ts';
import { releaseKey } from './plan/mirror-status.ts';
import type { WantedRelease } from './plan/wanted.ts';
import type { PayloadStore } from './store/payload-store.ts';

export interface MirrorOptions {
  client: KubeClient;
  log: Pick<Log, 'info' | 'warn'>;
  channels: () => readonly UpdateChannel[];
  groups: () => readonly NodeGroup[];
  store: PayloadStore;
  fetcher: FileFetcher;
  /** Where files grow until they are verified. */
  work: string;
  /** Where people put files. */
  incoming: Incoming;
  metrics: MirrorMetrics;
  /** Bytes. */
  limit: number;
  baseURL: string;
  /** ms since the epoch. */
  now: () => number;
}

const FIELD_MANAGER = 'careen-mirror';
const RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 60 * 60_000;
/** A turn without any news: what failed is tried again, what was put there by hand is found. */
const IDLE_MS = 30_000;

/** Keeps the store as the channels want it, and tells them. One at a time does it; many may serve. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #failures = new Map<string, Failure & { times: number }>();
  #fetching: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** Something changed: look again, now. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await mkdir(this.#options.work, { recursive: true });
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      await this.#turn(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn('cannot keep the mirror', { error });
      });
      const timer = setTimeout(() => this.wake(), IDLE_MS);
      await this.#wake.promise;
      clearTimeout(timer);
    }
    await this.#fetching;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { store, metrics, channels, groups, limit, baseURL, now } = this.#options;
    const held = await store.trees();
    const facts = { channels: channels(), groups: groups(), held, failures: this.#failures };
    const turn = mirrorTurn({ ...facts, limit, baseURL, now: now() });
    // Told before it is done: nobody is sent to a file that goes.
    await this.#tell(turn, signal);
    for (const digest of turn.drop) {
      await store.drop(digest);
      metrics.evicted();
    }
    metrics.held(held.filter(({ digest }) => !turn.drop.includes(digest)));
    if (this.#fetching !== undefined) return;
    if (turn.fetch !== undefined) this.#fetching = this.#fetch(turn.fetch, signal);
    else await this.#clearWork();
  }

  async #tell({ statuses }: Turn, signal: AbortSignal): Promise<void> {
    for (const { channel, entries } of statuses) {
      if (isDeepStrictEqual(entries, channel.status?.mirror ?? [])) continue;
      const { name, uid } = channel.metadata;
      const body = {
        apiVersion: API_VERSION,
        kind: 'UpdateChannel',
        metadata: { name, uid },
        status: { mirror: entries },
      };
      const path = `${resourcePath('UpdateChannel', name)}/status`;
      await this.#options.client.apply(path, body, { fieldManager: FIELD_MANAGER, force: true }, { signal });
    }
  }

  async #fetch(release: WantedRelease, signal: AbortSignal): Promise<void> {
    const { store, log, metrics, work, incoming, fetcher, now } = this.#options;
    const { version, variant } = release;
    const key = releaseKey(release);
    try {
      await fetchRelease(release, store, { work, incoming, fetcher, signal });
      this.#failures.delete(key);
      metrics.fetched();
      log.info('a release is in the mirror', { version, variant });
    } catch (error) {
      if (signal.aborted) return;
      metrics.fetched(error);
      const times = (this.#failures.get(key)?.times ?? 0) + 1;
      const retryAt = now() + Math.min(RETRY_MS * 2 ** (times - 1), LONGEST_RETRY_MS);
      const message = (error as Error).message.slice(0, 1024);
      this.#failures.set(key, { message, retryAt, times });
      log.warn('a release cannot be mirrored', { version, variant, error });
    } finally {
      this.#fetching = undefined;
      this.wake();
    }
  }

  /** Nothing is under way: what lies there was given up. */
  async #clearWork(): Promise<void> {
    const { store, work, now } = this.#options;
    if ([...this.#failures.values()].some(({ retryAt }) => retryAt > now())) return;
    for (const name of await readdir(work)) await rm(`${work}/${name}`, { recursive: true, force: true });
    await store.clear();
  }
}
