import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

/** The discard service: hardly anybody listens there, and nobody minds. */
const PORT = 9;
const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'];

/** Address of the default gateway in the network of the process at `proc`; IPv4 first. */
export async function defaultGateway(proc = '/proc/self'): Promise<string | undefined> {
  const read = (name: string) => readFile(join(proc, 'net', name), 'utf8').catch(() => '');
  return gateway4(await read('route')) ?? gateway6(await read('ipv6_route'));
}

/** `Iface Destination Gateway Flags … Mask`, in hexadecimal, lowest byte first (proc_pid_net(5)). */
export function gateway4(table: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway = '', flags = '0', , , , mask] = line.trim().split(/\s+/);
    const isDefault = destination === '00000000' && mask === '00000000' && gateway !== '00000000';
    if (isDefault && (parseInt(flags, 16) & 1) === 1)
      return [6, 4, 2, 0].map((at) => parseInt(gateway.slice(at, at + 2), 16)).join('.');
  }
  return undefined;
}

/** `destination length source length gateway …  interface`; a gateway is link-local as a rule. */
export function gateway6(table: string): string | undefined {
  for (const line of table.split('\n')) {
    const [destination = '', length, , , gateway = '', , , , , device = ''] = line.trim().split(/\s+/);
    if (!/^0{32}$/.test(destination) || length !== '00' || /^0*$/.test(gateway)) continue;
    const address = gateway.match(/.{4}/g)?.join(':') ?? '';
    return address.startsWith('fe80') ? `${address}%${device}` : address;
  }
  return undefined;
}

/**
 * Whether somebody on the wire has the address: to send anything there the kernel has to find it by ARP or neighbour
 * discovery, and says so when nobody answers. Whether it takes the connection does not matter. Undefined: it has.
 */
export function reach(address: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: PORT });
    const end = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', () => end());
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end(
        UNREACHABLE.includes(code) ? `the default gateway ${address} does not answer (${code})` : undefined,
      ),
    );
    // It was found on the wire and keeps silent: a packet filter.
    setTimeout(end, SILENT_MS).unref();
    signal.addEventListener('abort', () => end('no answer in time'), { once: true });
  });
}

/** The kernel gives up on an address after three tries of a second each. */
const SILENT_MS = 5000;
