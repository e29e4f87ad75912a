import { httpExitCode, wireCode } from '../wire/exit-code.ts';
import { readResponse, type Answer } from '../wire/read-response.ts';
import { writeRequest, type Dialect, type Identity, type OmahaEvent, type Purpose } from '../wire/request.ts';
import type { Clock } from './clock.ts';
import type { Reply, Transport } from './transport.ts';

export interface LinkOptions {
  /** Read at each request: the version and the boot id change. */
  identity: () => Identity;
  dialect: Dialect;
  transport: Transport;
  clock: Clock;
  /** Bits that go with every code of an error. */
  flags: number;
}

/** A check's outcome with the HTTP status that the scheduler looks at. */
export interface Checked extends Answer {
  httpStatus: number;
}

const NO_NETWORK_RETRIES = { scheduled: 3, interactive: 1 };
const NO_NETWORK_WAIT_MS = 10_000;

/** One machine's line to the server: builds requests, posts them, reads the answers. */
export class Link {
  readonly #options: LinkOptions;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  async check(event: OmahaEvent, interactive: boolean, signal: AbortSignal): Promise<Checked> {
    const retries = interactive ? NO_NETWORK_RETRIES.interactive : NO_NETWORK_RETRIES.scheduled;
    const { status, body } = await this.#post({ kind: 'check', interactive, event }, retries, signal);
    const answer = isSuccess(status)
      ? readResponse(body)
      : { exitCode: httpExitCode(status), pollInterval: 0 };
    return { ...answer, httpStatus: status };
  }

  /** Best effort: what the server says to an event is not looked at. ue-rs sends none. */
  async event(event: OmahaEvent, signal: AbortSignal): Promise<void> {
    const { dialect, flags } = this.#options;
    if (dialect === 'ue-rs') return;
    const coded = event.errorCode === undefined ? {} : { errorCode: wireCode(event.errorCode, flags) };
    await this.#post({ kind: 'event', event: { ...event, ...coded } }, 0, signal);
  }

  async ping(signal: AbortSignal): Promise<void> {
    if (this.#options.dialect !== 'ue-rs') await this.#post({ kind: 'ping' }, 0, signal);
  }

  async #post(purpose: Purpose, retries: number, signal: AbortSignal): Promise<Reply> {
    const { dialect, identity, transport, clock } = this.#options;
    const request = writeRequest(dialect, identity(), purpose);
    for (let left = retries; ; left--) {
      const reply = await transport.post(request, signal);
      if (reply.status !== 0 || left === 0) return reply;
      await clock.sleep(NO_NETWORK_WAIT_MS, signal);
    }
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
