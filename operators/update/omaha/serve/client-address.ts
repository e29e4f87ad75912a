import { BlockList, isIP } from 'node:net';

/** Reads `10.0.0.0/8,fd00::/8,192.0.2.7`. Throws a RangeError on anything else. */
export function parseNetworks(text: string): BlockList {
  const networks = new BlockList();
  for (const item of text.split(',').filter((part) => part !== '')) addNetwork(networks, item.trim());
  return networks;
}

function addNetwork(networks: BlockList, item: string): void {
  const [address = '', bits] = item.split('/', 2);
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (family === 0 || !/^[0-9]{1,3}$/.test(bits ?? '0') || prefix > longest) {
    throw new RangeError(`"${item}" is no network; write 10.0.0.0/8 or 192.0.2.7`);
  }
  networks.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whose request it is. `X-Forwarded-For` is believed only from a trusted proxy; its last entry that is no trusted
 * proxy itself is the client, whatever the client wrote before it.
 */
export function clientAddress(
  peer: string | undefined,
  forwarded: string | undefined,
  trusted: BlockList,
): string {
  const from = plain(peer ?? '');
  if (forwarded === undefined || !isTrusted(from, trusted)) return from;
  const hops = forwarded.split(',').map((hop) => plain(hop.trim()));
  const client = hops.findLast((hop) => !isTrusted(hop, trusted)) ?? hops[0] ?? '';
  return isIP(client) === 0 ? from : client;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** An IPv4 address as a socket for both families shows it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}
