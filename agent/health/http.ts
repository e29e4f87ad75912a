import http from 'node:http';
import https from 'node:https';

interface Target {
  port: number;
  path: string;
  scheme: 'http' | 'https';
}

/** GET on the node's own loopback address: the status of the answer, whose body is not read. Redirects are not followed. */
export function getLoopback({ port, path, scheme }: Target, signal: AbortSignal): Promise<number> {
  const options = { host: '127.0.0.1', port, path, signal, agent: false as const };
  return new Promise((resolve, reject) => {
    const answered = (response: http.IncomingMessage) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    };
    // The host is the node itself: there is nobody in between for a certificate to guard against.
    const request =
      scheme === 'https'
        ? https.get({ ...options, rejectUnauthorized: false }, answered)
        : http.get(options, answered);
    request.on('error', reject);
  });
}
