import type { Readable } from 'node:stream';
import { Deadline } from './deadline.ts';
import { errorOfStatus, KubeError, type KubeStatus } from './error.ts';
import type { Query, Transport } from './transport.ts';

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

export interface WatchOptions {
  signal: AbortSignal;
  /** A watch that stays silent for longer is taken for dead. Bookmarks come about once a minute. */
  inactivityMs?: number | undefined;
  /** Called for every chunk; that the watch was opened is not news of its objects. */
  onHeard?: (() => void) | undefined;
}

const INACTIVITY_MS = 120_000;
/** An object is at most 1.5 MiB in etcd; JSON with managed fields stays far below this. */
const LONGEST_LINE = 32 * 1024 * 1024;

/**
 * The events of one watch, in order. Ends when the server closes it cleanly; throws a KubeError (`Gone`
 * when the resource version is too old) or the caller's abort reason. A line that cannot be parsed is an
 * error, never dropped: the caller resumes from the last version that it saw.
 */
export async function* watchEvents<T>(
  transport: Transport,
  path: string,
  query: Query,
  { signal, inactivityMs = INACTIVITY_MS, onHeard = () => undefined }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const request = `WATCH ${path}`;
  const silence = new Deadline(request, inactivityMs, signal);
  let body: Readable | undefined;
  try {
    const ask = { method: 'GET' as const, path, query: { ...query, watch: true } };
    body = await transport.open(ask, silence.signal);
    for await (const line of lines(request, body, silence, onHeard, inactivityMs)) {
      yield eventOf<T>(request, line);
    }
  } finally {
    silence.end();
    body?.on('error', () => undefined).destroy();
  }
}

async function* lines(
  request: string,
  body: Readable,
  silence: Deadline,
  onHeard: () => void,
  inactivityMs: number,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      silence.extend(inactivityMs);
      onHeard();
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw broken(request, 'sent an endless line');
      yield* parts.filter((part) => part !== '');
    }
  } catch (error) {
    if (silence.signal.aborted) throw silence.signal.reason;
    if (error instanceof KubeError) throw error;
    throw broken(request, 'broke off', error);
  }
  if (silence.signal.aborted) throw silence.signal.reason;
  if (rest !== '') throw broken(request, 'ended in the middle of an event');
}

function eventOf<T>(request: string, line: string): WatchEvent<T> {
  let event: { type?: string; object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw broken(request, 'sent an event that is not JSON', error);
  }
  if (event.type === 'ERROR') {
    const status = event.object as KubeStatus;
    throw errorOfStatus(request, status.code ?? 500, status);
  }
  return event as WatchEvent<T>;
}

function broken(request: string, what: string, cause?: unknown): KubeError {
  return new KubeError(`${request}: the watch ${what}`, { code: 'Unreachable', cause });
}
