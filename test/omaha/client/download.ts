import { createHash } from 'node:crypto';
import { Agent, interceptors, request } from 'undici';
import { exitCodes } from '../wire/exit-code.ts';
import type { Update } from '../wire/read-response.ts';
import type { Clock } from './clock.ts';

/** How a download ended: a code, 0 for well, and the last HTTP status. */
export interface Fetched {
  exitCode: number;
  httpStatus: number;
}

/** Fetches a payload and checks its size and digest. */
export type Download = (url: string, update: Update, signal: AbortSignal) => Promise<Fetched>;

const RETRIES = 20;
const RETRY_WAIT_MS = 20_000;
const REDIRECTS = 10;
const IDLE_MS = 90_000;

/** Trusts that the payload is there. */
export const noDownload: Download = async () => ({ exitCode: 0, httpStatus: 200 });

/** A download as update_engine makes it: what was broken off goes on where it broke, twenty times. */
export function httpDownload(clock: Clock, agent = new Agent({ allowH2: false })): Download {
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: REDIRECTS }));
  return async (url, update, signal) => {
    const digest = createHash('sha256');
    let size = 0;
    for (let tries = 0; ; tries++) {
      const httpStatus = await transfer(url, size, update.size, dispatcher, signal, (part) => {
        digest.update(part);
        size += part.length;
      });
      if (size === update.size && httpStatus !== 0)
        return { exitCode: verdict(digest.digest('base64'), update), httpStatus };
      if (size > update.size) return { exitCode: exitCodes.PayloadSizeMismatchError, httpStatus };
      if (httpStatus >= 400 || tries === RETRIES)
        return { exitCode: exitCodes.DownloadTransferError, httpStatus };
      await clock.sleep(RETRY_WAIT_MS, signal);
    }
  };
}

function verdict(sha256: string, update: Update): number {
  return sha256 === update.sha256 ? exitCodes.Success : exitCodes.PayloadHashMismatchError;
}

/** One request; gives its status, 0 when nothing came at all or it broke off. */
async function transfer(
  url: string,
  from: number,
  size: number,
  dispatcher: ReturnType<Agent['compose']>,
  signal: AbortSignal,
  take: (part: Buffer) => void,
): Promise<number> {
  try {
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const response = await request(url, {
      dispatcher,
      headers,
      signal,
      bodyTimeout: IDLE_MS,
      headersTimeout: IDLE_MS,
    });
    const wanted = from === 0 ? [200, 206] : [206];
    if (!wanted.includes(response.statusCode)) {
      response.body.destroy();
      return response.statusCode < 400 ? 416 : response.statusCode;
    }
    let left = size - from;
    for await (const part of response.body as AsyncIterable<Buffer>) {
      take(part);
      left -= part.length;
      if (left < 0) break;
    }
    return response.statusCode;
  } catch {
    signal.throwIfAborted();
    return 0;
  }
}
