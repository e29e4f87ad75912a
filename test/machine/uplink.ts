import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * The network cable of one machine: a forwarder on loopback to the API server. Unplugged, packets are lost and
 * nobody is told: open connections stand still, new ones get no answer. Plugged in again, everything flows on.
 */
export class Uplink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<Socket>();
  readonly #target: { host: string; port: number };
  #plugged = true;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Opens a cable to the server at `url`. */
  static async open(url: string): Promise<Uplink> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: true });
    const uplink = new Uplink(server, { host: hostname, port: Number(port || 443) });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return uplink;
  }

  /** Where the API server is found through this cable. */
  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  unplug(): void {
    this.#plugged = false;
    for (const socket of this.#sockets) socket.pause();
  }

  plug(): void {
    if (this.#plugged) return;
    this.#plugged = true;
    for (const socket of this.#sockets) socket.resume();
    for (const socket of this.#waiting) this.#forward(socket);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.#sockets, ...this.#waiting]) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#plugged) return this.#forward(socket);
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
  }

  #forward(socket: Socket): void {
    const server = connect({ ...this.#target, noDelay: true });
    server.on('error', () => {});
    this.#join(socket, server);
    this.#join(server, socket);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (data) => this.#pass(from, to, data));
    to.on('drain', () => this.#plugged && from.resume());
    from.once('end', () => to.end());
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.resume();
  }

  #pass(from: Socket, to: Socket, data: Buffer | string): void {
    if (!to.write(data)) from.pause();
  }
}
