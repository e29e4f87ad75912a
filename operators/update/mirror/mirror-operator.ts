import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourcePath } from '#api/group.ts';
import type { NodeGroup, UpdateChannel } from '#api/kinds.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { Informers } from '#runtime/informer/informers.ts';
import type { Operator, OperatorContext } from '#runtime/operator/operator.ts';
import { FileFetcher } from './fetch/fetch-file.ts';
import type { mirrorFlags } from './mirror-flags.ts';
import { Mirror } from './mirror.ts';
import { PayloadServer } from './serve/payload-server.ts';
import { MirrorMetrics } from './mirror-metrics.ts';
import { openStore, type Places } from './open-store.ts';

const OPEN_AGAIN_MS = 10_000;

/**
 * Keeps payloads of channels with `spec.mirror` and serves them. The leader has a directory for itself; of a bucket it
 * is the only one that writes, and every replica serves.
 */
export class MirrorOperator implements Operator {
  readonly #context: OperatorContext<typeof mirrorFlags>;
  readonly #channels: Informer<UpdateChannel>;
  readonly #groups: Informer<NodeGroup>;
  readonly #informers: Informers;
  readonly #places: Places;
  readonly #measured: MirrorMetrics;
  readonly #fetcher: FileFetcher;
  #mirror: Mirror | undefined;
  #server: PayloadServer | undefined;

  static async start(context: OperatorContext<typeof mirrorFlags>): Promise<MirrorOperator> {
    const { flags, log, metrics } = context;
    const measured = new MirrorMetrics(metrics.registry, flags.sizeLimit);
    const places = await openStore(flags, log, measured.corrupt);
    const operator = new MirrorOperator(context, places, measured);
    if (places.store.isShared) await operator.#serve();
    return operator;
  }

  private constructor(context: OperatorContext<typeof mirrorFlags>, places: Places, measured: MirrorMetrics) {
    const { client, log, metrics, health } = context;
    this.#context = context;
    this.#places = places;
    this.#measured = measured;
    this.#fetcher = new FileFetcher({}, measured.received);
    const shared = { client, log, metrics, onChange: () => this.#mirror?.wake() };
    this.#channels = new Informer<UpdateChannel>({ ...shared, path: resourcePath('UpdateChannel') });
    this.#groups = new Informer<NodeGroup>({ ...shared, path: resourcePath('NodeGroup') });
    this.#informers = new Informers([this.#channels, this.#groups]);
    this.#informers.start(health);
    health.ready('payloads', () =>
      this.#server === undefined ? 'not served yet' : this.#places.store.trouble(),
    );
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { client, log, flags } = this.#context;
    await this.#informers.synced(signal);
    await this.#opened(signal);
    if (this.#server === undefined) await this.#serve();
    this.#mirror = new Mirror({
      client,
      log,
      channels: () => this.#channels.list(),
      groups: () => this.#groups.list(),
      ...this.#places,
      metrics: this.#measured,
      fetcher: this.#fetcher,
      work: join(flags.directory, 'work'),
      limit: flags.sizeLimit,
      baseURL: flags.baseUrl,
      now: Date.now,
    });
    await this.#mirror.run(signal);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#fetcher.close()]);
    this.#places.store.close();
    await this.#informers.stop();
  }

  async #serve(): Promise<void> {
    const { log, flags } = this.#context;
    const { store } = this.#places;
    const served = this.#measured.answered;
    const server = new PayloadServer({ address: flags.payloadAddress, store, log, served });
    this.#server = await server.listen();
    log.info('serving payloads', { port: this.#server.port });
  }

  /** A bucket that is away for a while is waited for; what a directory says goes for good. */
  async #opened(signal: AbortSignal): Promise<void> {
    const { store } = this.#places;
    for (;;) {
      try {
        return await store.open();
      } catch (error) {
        if (!store.isShared) throw error;
        this.#context.log.warn('cannot open the store', { error });
        await sleep(OPEN_AGAIN_MS, undefined, { signal });
      }
    }
  }
}
