import { createHash } from 'node:crypto';
import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '../client/client.ts';
import { TokenBucket } from '../client/token-bucket.ts';
import { microTime } from '../leader/micro-time.ts';
import type { Log } from '../log/log.ts';
import { Repetitions } from './repetitions.ts';

export type EventType = 'Normal' | 'Warning';

/** What an event is about; a whole object may be passed. */
export type Regarding = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

export interface EventRecorderOptions {
  client: KubeClient;
  /** Such as `careen.dev/reboot-lock`. */
  controller: string;
  /** This process: the pod's name. */
  instance: string;
  log: Log;
}

interface Note {
  regarding: Regarding;
  type: EventType;
  reason: string;
  message: string;
}

/** The API server's own limits. */
const LONGEST_NOTE = 1024;
const LONGEST_REASON = 128;
/** What waits to be sent; beyond it events are dropped, since they are told for people and never relied upon. */
const LONGEST_QUEUE = 1000;

/**
 * Records Kubernetes events (events.k8s.io/v1). Never throws and never waits: events are sent in the
 * background, a bounded number a second, and the same event is not repeated within an hour.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #repetitions = new Repetitions();
  readonly #pace = new TokenBucket({ qps: 5, burst: 50 });
  readonly #waiting: Note[] = [];
  #sending: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  event(regarding: Regarding, type: EventType, reason: string, message: string): void {
    const key = JSON.stringify([regarding.metadata.uid, regarding.metadata.name, type, reason, message]);
    if (!this.#repetitions.isFirst(key, performance.now())) return;
    if (this.#waiting.length >= LONGEST_QUEUE) return;
    this.#waiting.push({ regarding, type, reason, message });
    this.#sending ??= this.#drain();
  }

  /** Resolves when everything recorded so far was sent or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  async #drain(): Promise<void> {
    for (let note = this.#waiting.shift(); note !== undefined; note = this.#waiting.shift()) {
      await this.#send(note);
    }
    this.#sending = undefined;
  }

  async #send(note: Note): Promise<void> {
    try {
      const wait = this.#pace.take();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const body = this.#body(note);
      const path = `/apis/events.k8s.io/v1/namespaces/${body.metadata.namespace}/events`;
      await this.#options.client.create(path, body, undefined, { timeoutMs: 10_000 });
    } catch (error) {
      this.#options.log.warn('cannot record an event', { error, reason: note.reason });
    }
  }

  #body({ regarding, type, reason, message }: Note) {
    const { name, namespace = 'default', uid, resourceVersion } = regarding.metadata;
    const at = microTime();
    const digest = createHash('sha256').update(`${uid} ${type} ${reason} ${message} ${at}`).digest('hex');
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 230)}.${digest.slice(0, 16)}`, namespace },
      eventTime: at,
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance.slice(0, LONGEST_REASON),
      action: reason.slice(0, LONGEST_REASON),
      reason: reason.slice(0, LONGEST_REASON),
      regarding: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name,
        namespace: regarding.metadata.namespace,
        uid,
        resourceVersion,
      },
      note: message.slice(0, LONGEST_NOTE),
      type,
    };
  }
}
