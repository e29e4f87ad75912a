import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, interceptors, request, type Dispatcher } from 'undici';
import { replaceFile } from '#agent/record/replace-file.ts';
import { MirrorError } from '../mirror-error.ts';

/** A file that is wanted. */
export interface WantedFile {
  /** Tried in this order, each from where the one before broke off. */
  urls: readonly string[];
  /** Bytes; no byte more is taken. */
  size: number;
  /** Where it grows; what is there is gone on with. */
  path: string;
}

/** Times in milliseconds. */
export interface FetchTimes {
  idleMs: number;
  /** Before the second attempt; doubled before each further one. */
  backoffMs: number;
  attempts: number;
}

const TIMES: FetchTimes = { idleMs: 60_000, backoffMs: 1000, attempts: 6 };

/** Fetches whole files, resuming what a broken connection or a killed program left. Verifies nothing but the size. */
export class FileFetcher {
  readonly #agent = new Agent({ connections: 2, allowH2: false });
  readonly #dispatcher = this.#agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  readonly #times: FetchTimes;
  readonly #received: (bytes: number) => void;

  /** `received` is told of bytes as they come. */
  constructor(times: Partial<FetchTimes> = {}, received: (bytes: number) => void = () => {}) {
    this.#times = { ...TIMES, ...times };
    this.#received = received;
  }

  /** Throws MirrorError Unreachable, Refused or SizeMismatch, or the signal's reason. */
  async fetch(file: WantedFile, signal: AbortSignal): Promise<void> {
    await mkdir(dirname(file.path), { recursive: true });
    let last: unknown;
    for (let attempt = 0; attempt < this.#times.attempts; attempt++) {
      if (attempt > 0) await sleep(this.#times.backoffMs * 2 ** (attempt - 1), undefined, { signal });
      for (const url of file.urls) {
        try {
          return await this.#goOn(url, file, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof MirrorError && error.code === 'SizeMismatch') throw error;
          last = error;
        }
      }
      if (last instanceof MirrorError && last.code === 'Refused') throw last;
    }
    const why = last instanceof Error ? last.message || (last as NodeJS.ErrnoException).code : 'no answer';
    throw new MirrorError(
      'Unreachable',
      `cannot fetch ${file.urls.join(' or ')}: ${why}; it is tried again`,
      last,
    );
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #goOn(url: string, { size, path }: WantedFile, signal: AbortSignal): Promise<void> {
    const tagPath = `${path}.etag`;
    const have = await sizeOf(path);
    if (have === size) return;
    if (have > size) return startOver(path, tagPath);
    const etag = have === 0 ? undefined : await readFile(tagPath, 'utf8').catch(() => undefined);
    const headers = etag === undefined ? {} : { range: `bytes=${have}-`, 'if-range': etag };
    const { idleMs } = this.#times;
    const response = await request(url, {
      dispatcher: this.#dispatcher,
      headers,
      signal,
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
    });
    response.body.on('error', () => {}); // heard of through the pipeline, if there is one
    const from = startOf(response, have, url);
    // Not every server heeds If-Range; the rest of another file would be of no use.
    if (from > 0 && response.headers.etag !== etag) {
      response.body.destroy();
      return startOver(path, tagPath);
    }
    if (from === 0) await rm(path, { force: true });
    await rememberTag(response, tagPath);
    const sink = createWriteStream(path, { flags: from === 0 ? 'w' : 'a' });
    await pipeline(response.body, atMost(size - from, url, this.#received), sink, { signal });
    const done = await sizeOf(path);
    if (done < size) throw new Error(`${url} broke off at ${done} of ${size} bytes`);
  }
}

/** From which byte on the answer is; throws what speaks against the answer. */
function startOf(response: Dispatcher.ResponseData, have: number, url: string): number {
  const { statusCode, headers } = response;
  if (statusCode === 200) return 0;
  if (statusCode === 206 && String(headers['content-range']).startsWith(`bytes ${have}-`)) return have;
  response.body.destroy();
  if (statusCode >= 500 || statusCode === 429 || statusCode === 408)
    throw new Error(`${url} answers ${statusCode}`);
  throw new MirrorError('Refused', `${url} answers ${statusCode}; correct the URL or the server`);
}

/** Only a strong tag tells that the rest is of the same file; without one a broken download starts over. */
async function rememberTag({ headers }: Dispatcher.ResponseData, tagPath: string): Promise<void> {
  const etag = headers.etag;
  if (typeof etag === 'string' && etag.startsWith('"')) await replaceFile(tagPath, etag);
  else await rm(tagPath, { force: true });
}

function atMost(limit: number, url: string, received: (bytes: number) => void): Transform {
  let size = 0;
  return new Transform({
    transform(part: Buffer, _, done) {
      size += part.length;
      received(part.length);
      const message = `${url} has more bytes than it should; correct the size or the file`;
      if (size > limit) done(new MirrorError('SizeMismatch', message));
      else done(null, part);
    },
  });
}

async function startOver(path: string, tagPath: string): Promise<never> {
  await rm(path, { force: true });
  await rm(tagPath, { force: true });
  throw new Error('what was fetched before is of another file; starting over');
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
