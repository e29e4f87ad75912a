import { connect, type Socket } from 'node:net';

interface Answer {
  status: number;
  text: string;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * Posts over connections that are kept, and does no more than it must: the load comes from the machine that is
 * measured, and what it costs is missing there.
 */
export class RawPool {
  readonly #host: string;
  readonly #free: Connection[];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #all: readonly Connection[];

  constructor(url: string, connections: number) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#all = Array.from({ length: connections }, () => new Connection(connect(Number(port), hostname)));
    this.#free = [...this.#all];
  }

  async post(path: string, body: string): Promise<Answer> {
    const connection = this.#free.pop() ?? (await this.#next());
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: text/xml\r\ncontent-length: ${body.length}`;
    const answer = await connection.ask(head + END_OF_HEAD + body);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#free.push(connection);
    else waiting(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #next(): Promise<Connection> {
    const { promise, resolve } = Promise.withResolvers<Connection>();
    this.#waiting.push(resolve);
    return promise;
  }
}

/** One request after the other; answers must say how long they are. */
class Connection {
  readonly #socket: Socket;
  #came = '';
  #asked: PromiseWithResolvers<Answer> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (part: string) => this.#take(part));
    socket.on('error', (error) => this.#asked?.reject(error));
    socket.on('close', () => this.#asked?.reject(new Error('the server has closed the connection')));
  }

  ask(request: string): Promise<Answer> {
    this.#asked = Promise.withResolvers<Answer>();
    this.#socket.write(request, 'latin1');
    return this.#asked.promise;
  }

  close(): void {
    this.#asked = undefined;
    this.#socket.destroy();
  }

  #take(part: string): void {
    this.#came += part;
    const end = this.#came.indexOf(END_OF_HEAD);
    if (end < 0) return;
    const start = end + END_OF_HEAD.length;
    const length = Number(/content-length: (\d+)/i.exec(this.#came)?.[1] ?? NaN);
    if (!(this.#came.length >= start + length)) return;
    const answer = { status: Number(this.#came.slice(9, 12)), text: this.#came.slice(start) };
    this.#came = '';
    this.#asked?.resolve(answer);
  }
}
