import { fork } from 'node:child_process';
import { once } from 'node:events';

/** The server to be measured. */
export interface HttpServer {
  url: string;
  pid: number;
  pass: (ms: number) => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts bench/omaha/server.ts; it ends with us. */
export async function startServer(): Promise<HttpServer> {
  const child = fork(new URL('server.ts', import.meta.url).pathname, { execArgv: [] });
  const [url] = (await once(child, 'message')) as [string];
  const pass = async (ms: number) => {
    child.send(ms);
    await once(child, 'message');
  };
  const stop = async () => {
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  };
  return { url, pid: child.pid ?? 0, pass, stop };
}
