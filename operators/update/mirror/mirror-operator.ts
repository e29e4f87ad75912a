import { join } from 'node:path';
import { resourcePath } from '#api/group.ts';
import type { NodeGroup, UpdateChannel } from '#api/kinds.ts';
import { freshCheck } from '#runtime/health/health.ts';
import { Informer } from '#runtime/informer/informer.ts';
import type { Operator, OperatorContext } from '#runtime/operator/operator.ts';
import { FileFetcher } from './fetch/fetch-file.ts';
import type { mirrorFlags } from './mirror-flags.ts';
import { Mirror } from './mirror.ts';
import { PayloadServer } from './serve/payload-server.ts';
import { DirectoryStore } from './store/directory-store.ts';
import type { PayloadStore } from './store/payload-store.ts';

/** Keeps payloads of channels with `spec.mirror` and serves them. The leader has the directory for itself. */
export class MirrorOperator implements Operator {
  readonly #context: OperatorContext<typeof mirrorFlags>;
  readonly #channels: Informer<UpdateChannel>;
  readonly #groups: Informer<NodeGroup>;
  readonly #store: PayloadStore;
  readonly #fetcher = new FileFetcher();
  #mirror: Mirror | undefined;
  #server: PayloadServer | undefined;

  constructor(context: OperatorContext<typeof mirrorFlags>) {
    const { client, log, metrics, health, flags } = context;
    this.#context = context;
    this.#store = new DirectoryStore(flags.directory);
    const shared = { client, log, metrics, onChange: () => this.#mirror?.wake() };
    this.#channels = new Informer<UpdateChannel>({ ...shared, path: resourcePath('UpdateChannel') });
    this.#groups = new Informer<NodeGroup>({ ...shared, path: resourcePath('NodeGroup') });
    for (const [index, informer] of [this.#channels, this.#groups].entries()) {
      informer.start();
      health.live(`informer-${index}`, freshCheck(informer));
      health.ready(`informer-${index}`, () => (informer.hasSynced ? undefined : 'not listed yet'));
    }
    health.ready('payloads', () => (this.#server === undefined ? 'not served yet' : undefined));
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { client, log, flags } = this.#context;
    await Promise.all([this.#channels.synced(signal), this.#groups.synced(signal)]);
    await this.#store.open();
    this.#server = await new PayloadServer({
      address: flags.payloadAddress,
      store: this.#store,
      log,
    }).listen();
    log.info('serving payloads', { port: this.#server.port });
    this.#mirror = new Mirror({
      client,
      log,
      channels: () => this.#channels.list(),
      groups: () => this.#groups.list(),
      store: this.#store,
      fetcher: this.#fetcher,
      work: join(flags.directory, 'work'),
      incoming: join(flags.directory, 'incoming'),
      limit: flags.sizeLimit,
      baseURL: flags.baseUrl,
      now: Date.now,
    });
    await this.#mirror.run(signal);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#fetcher.close()]);
    await Promise.all([this.#channels.stop(), this.#groups.stop()]);
  }
}
