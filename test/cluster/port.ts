import { randomInt } from 'node:crypto';
import { createServer, type ListenOptions } from 'node:net';

/**
 * A TCP port of the loopback interface that nobody listens on now. It is below the range from which the system
 * takes the ports of outgoing connections (32768 on Linux, 49152 elsewhere), so that a server which restarts on
 * it does not find it taken. On Linux nobody else is given it either, in any process, until this one ends: whoever
 * asked for it may take a while to listen.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const close = await listen({ port, host: '127.0.0.1', exclusive: true });
  return new Promise((resolve) => (close === undefined ? resolve(false) : close(() => resolve(true))));
}

/** By a socket that has a name but no file: it vanishes with its process, however that ends. */
async function claim(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await listen({ path: `\0careen-port-${port}` })) !== undefined;
}

/** Gives how to end it, or nothing when somebody else has it. */
function listen(where: ListenOptions): Promise<((closed: () => void) => void) | undefined> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(undefined));
    server.listen(where, () => resolve((closed) => server.close(closed)));
  });
}
