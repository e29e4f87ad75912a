import { Agent, interceptors, request } from 'undici';
import { UpstreamError } from './upstream-error.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
const ANSWER_MS = 30_000;
const REDIRECTS = 5;

/** Posts one request and gives the body of the answer. Throws an UpstreamError, or the signal's reason. */
export type AskUpstream = (url: string, body: string, signal: AbortSignal) => Promise<Buffer>;

/** Over HTTP, with bounds of time and size. One for a program. */
export function httpUpstream(): { ask: AskUpstream; close: () => Promise<void> } {
  const agent = new Agent({ connections: 2, allowH2: false });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: REDIRECTS }));
  const ask: AskUpstream = async (url, body, signal) => {
    const late = AbortSignal.timeout(ANSWER_MS);
    try {
      const headers = { 'content-type': 'text/xml' };
      const until = AbortSignal.any([signal, late]);
      const response = await request(url, { dispatcher, method: 'POST', headers, body, signal: until });
      if (response.statusCode !== 200) {
        response.body.on('error', () => {}).destroy();
        throw new UpstreamError('HttpError', `${url} answers ${response.statusCode}; it is asked again`);
      }
      return await bounded(url, response.body);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UpstreamError) throw error;
      const { message, code } = error as NodeJS.ErrnoException;
      const why = late.aborted
        ? `no answer within ${ANSWER_MS / 1000} s`
        : message || code || 'no connection';
      throw new UpstreamError('Unreachable', `${url} cannot be asked: ${why}; it is asked again`, error);
    }
  };
  return { ask, close: () => agent.destroy() };
}

async function bounded(url: string, body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new UpstreamError('TooLarge', `${url} answers with more than 1 MiB`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
