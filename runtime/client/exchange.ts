import type { Dispatcher } from 'undici';

type Handler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    'onRequestStart' | 'onResponseStart' | 'onResponseData' | 'onResponseEnd' | 'onResponseError'
  >
>;
type Controller = Dispatcher.DispatchController;
type Headers = Parameters<Handler['onResponseStart']>[2];

/**
 * One request under way, which its caller may give up at any moment: the caller learns that at once, yet nothing
 * is torn out of an HTTP/2 connection before it is safe. When a stream is reset while the head of its answer comes
 * in, Node makes a new stream of that head, which nobody listens to and whose first error ends the process. When it
 * is reset before its own body is through, Node may send empty frames for it for ever. So a request that was sent
 * runs on unheard: one without a body until its answer begins, another one until its answer ends.
 */
export class Exchange implements Handler {
  readonly #caller: Handler;
  readonly #uploads: boolean;
  readonly #onOver: () => void;
  /** What the caller holds of the request: to abort it, as by destroying the answer's body, is to give up. */
  readonly #reins: Controller = reins(this, () => this.#controller);
  #controller: Controller | undefined;
  #answered = false;
  #over = false;
  #reason: Error | undefined;

  /** `uploads`: the request has a body. `onOver` is called once, when nobody waits for the answer (any more). */
  constructor(caller: Dispatcher.DispatchHandler, uploads: boolean, onOver: () => void) {
    this.#caller = caller as Handler;
    this.#uploads = uploads;
    this.#onOver = onOver;
  }

  giveUp(reason: Error): void {
    if (this.#over) return;
    this.#reason = reason;
    this.#end();
    this.#caller.onResponseError(this.#reins, reason);
    this.#letGo(reason);
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = controller;
    // What was given up while it waited for a connection is never sent.
    if (this.#reason !== undefined) return controller.abort(this.#reason);
    this.#caller.onRequestStart(this.#reins, context);
  }

  onResponseStart(_: Controller, status: number, headers: Headers, message?: string): void {
    this.#answered = true;
    if (this.#reason !== undefined) return this.#letGo(this.#reason);
    this.#caller.onResponseStart(this.#reins, status, headers, message);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (!this.#over) this.#caller.onResponseData(this.#reins, chunk);
  }

  onResponseEnd(_: Controller, trailers: Headers): void {
    if (this.#over) return;
    this.#end();
    this.#caller.onResponseEnd(this.#reins, trailers);
  }

  onResponseError(_: Controller, error: Error): void {
    if (this.#over) return;
    this.#end();
    this.#caller.onResponseError(this.#reins, error);
  }

  #end(): void {
    this.#over = true;
    this.#onOver();
  }

  #letGo(reason: Error): void {
    if (this.#answered && !this.#uploads) this.#controller?.abort(reason);
    else this.#controller?.resume();
  }
}

function reins(exchange: Exchange, controller: () => Controller | undefined): Controller {
  return {
    abort: (reason) => exchange.giveUp(reason ?? new Error('the answer is not needed any more')),
    pause: () => controller()?.pause(),
    resume: () => controller()?.resume(),
    get paused() {
      return controller()?.paused ?? false;
    },
    get aborted() {
      return controller()?.aborted ?? false;
    },
    get reason() {
      return controller()?.reason ?? null;
    },
  };
}
