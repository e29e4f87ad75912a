import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { guarded, type GuardedCleanup, type GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import type { NodeIdentity } from './node-identity.ts';
import { joinSockets } from './join-sockets.ts';
import { RealNodeError } from './real-node-error.ts';
import { tool, TOOL_PATH } from './tool.ts';

/** Where nodes and pods find the test program's servers, and each other's gateway. */
export const GATEWAY = '10.99.0.1';
/** The Service `kubernetes`, as every pod is told. */
export const API_SERVICE = '10.96.0.1';
export const POD_RANGE = '10.244.0.0/16';

const BRIDGE = 'nodes';
const HOLDER = new URL('network-holder.ts', import.meta.url).pathname;

export interface NetworkOptions {
  /** For sockets; the test program's own. */
  directory: string;
  within: GuardedCleanup;
  /** Port of the API server on the host's loopback. */
  apiPort: number;
  /** Socket on which the API server looks for the way to the nodes. */
  egressSocket?: string | undefined;
}

/**
 * The wires between the nodes of one fleet: a network namespace that one guarded process holds, with a bridge in
 * it. The host's own network is not touched, and fleets do not see each other. Whoever connects to a port of
 * `GATEWAY` inside is carried through unix sockets to a port of the host's loopback.
 */
export class NodeNetwork {
  readonly #options: NetworkOptions;
  readonly #targets = new Map<number, number>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #holder: GuardedProcess | undefined;

  private constructor(options: NetworkOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#accept(socket);
    });
  }

  static async create(options: NetworkOptions): Promise<NodeNetwork> {
    const network = new NodeNetwork(options);
    network.#server.listen(network.#path('upstream'));
    await once(network.#server, 'listening');
    await network.#hold();
    await network.#buildBridge();
    await network.#open(API_SERVICE, 443, options.apiPort);
    return network;
  }

  /** Lets nodes and pods reach the host's `127.0.0.1:target` as `10.99.0.1:port`. */
  async forward(port: number, target: number = port): Promise<void> {
    await this.#open(GATEWAY, port, target);
  }

  /**
   * Puts a cable between the bridge and a new `eth0` of the network namespace that process `pid` lives in. The card
   * keeps its address: the addresses of pods are used again after a reboot, and whoever spoke with the last ones
   * would send to the old card for half a minute.
   */
  async attach({ cable, mac }: NodeIdentity, pid: number, up: boolean): Promise<void> {
    const card = ['peer', 'name', 'eth0', 'address', mac, 'netns', String(pid)];
    await this.#ip('link', 'del', cable).catch(() => {}); // the last boot's lives until its namespace is gone
    await this.#ip('link', 'add', cable, 'type', 'veth', ...card);
    await this.#ip('link', 'set', cable, 'master', BRIDGE, up ? 'up' : 'down');
  }

  /** Packets are lost, nobody is told. */
  async setCable(cable: string, up: boolean): Promise<void> {
    await this.#ip('link', 'set', cable, up ? 'up' : 'down');
  }

  /** Runs one of this computer's programs in the nodes' network, and gives what it printed. */
  run(program: string, args: readonly string[]): Promise<string> {
    return tool('nsenter', [`--net=/proc/${this.#holder?.pid}/ns/net`, program, ...args]);
  }

  /** Ends the connections. The namespace itself goes with what it was made `within`. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #hold(): Promise<void> {
    const { within, egressSocket } = this.#options;
    const sockets = [this.#path('upstream'), this.#path('control'), ...(egressSocket ? [egressSocket] : [])];
    const env = { ...process.env, PATH: TOOL_PATH };
    const args = ['--net', process.execPath, HOLDER, ...sockets];
    const log = openSync(join(this.#options.directory, 'network.log'), 'a');
    try {
      this.#holder = (await guarded('unshare', args, { env, within, graceMs: 0, stderr: log })).unref();
    } finally {
      closeSync(log);
    }
    await until("the nodes' network is there", () => existsSync(this.#path('control')));
  }

  /** The bridge's address is its own: one taken over from a port changes when a node goes down, for all of them. */
  async #buildBridge(): Promise<void> {
    await this.#ip('link', 'set', 'lo', 'up');
    await this.#ip('link', 'add', BRIDGE, 'address', '02:00:0a:63:00:01', 'type', 'bridge');
    await this.#ip('addr', 'add', `${GATEWAY}/24`, 'dev', BRIDGE);
    await this.#ip('addr', 'add', `${API_SERVICE}/32`, 'dev', BRIDGE);
    await this.#ip('link', 'set', BRIDGE, 'up');
    await this.#ip('route', 'add', POD_RANGE, 'dev', BRIDGE);
  }

  #ip(...args: string[]): Promise<string> {
    return this.run('ip', args);
  }

  async #open(address: string, port: number, target: number): Promise<void> {
    const known = this.#targets.has(port);
    this.#targets.set(port, target);
    if (known) return;
    const socket = connect(this.#path('control'));
    socket.write(`${address} ${port}\n`);
    const [answer] = (await once(createInterface(socket), 'line')) as [string];
    if (answer !== 'ok') throw new RealNodeError('NodeFailed', `port ${port} cannot be forwarded: ${answer}`);
  }

  /** The first line names the port that was asked for; all after it is the connection. */
  #accept(socket: Socket): void {
    this.#remember(socket);
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\n');
      if (end < 0) return;
      socket.off('data', read);
      socket.pause();
      this.#carry(socket, Number(head.toString('latin1', 0, end)), head.subarray(end + 1));
    };
    socket.on('data', read);
    socket.resume();
  }

  #carry(socket: Socket, port: number, head: Buffer): void {
    const target = connect({ host: '127.0.0.1', port: this.#targets.get(port) ?? 0, allowHalfOpen: true });
    target.setNoDelay(true);
    this.#remember(target);
    target.write(head);
    joinSockets(socket, target);
  }

  #remember(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // the close tells the other side
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #path(name: string): string {
    return join(this.#options.directory, `${name}.sock`);
  }
}
