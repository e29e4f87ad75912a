import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** How much of a program's output is kept: enough for a message, too little to fill memory. */
const KEEP = 512;

/**
 * Where a unit's output goes: systemd connects standard output to a socket that is named as its file
 * (systemd.exec(5), StandardInput=file:). Nothing is written to a disk, which may be full, and a program that never
 * stops printing fills nothing.
 */
export class OutputSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #came = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #text = '';

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#take(socket));
  }

  /** Throws the system's error. */
  static async listen(path: string): Promise<OutputSocket> {
    const output = new OutputSocket(path);
    await new Promise<void>((resolve, reject) => {
      output.#server.once('error', reject);
      output.#server.listen(path, resolve);
    });
    return output;
  }

  /**
   * The tail of what came, once it came to its end. Waits `ms` at most: a child of the program may hold the socket
   * for ever, and a program that could not be started never had it.
   */
  async tail(ms: number): Promise<string> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([this.#came.promise.then(() => this.#gone.promise), late]);
    clearTimeout(timer);
    return this.#text;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await rm(this.path, { force: true });
  }

  #take(socket: Socket): void {
    this.#open.add(socket);
    this.#came.resolve();
    socket.on('data', (data) => {
      this.#text = (this.#text + data.toString('utf8')).slice(-KEEP);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#gone.resolve();
    });
  }
}
