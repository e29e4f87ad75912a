import { literal } from '../../render/values.ts';
import type { Cursor } from '../cursor.ts';

/** What coreos-cloudinit filled in, as the values of a node. */
const VALUES: Readonly<Record<string, string>> = {
  $private_ipv4: '${node.address.internal}',
  $public_ipv4: '${node.address.external}',
};

/** Text of a cloud-config as text of a NodeConfig. */
export function substituted(at: Cursor, text: string): string {
  const six = /\$(private|public)_ipv6/.exec(text);
  if (six !== null)
    at.refuse(`${six[0]} has no counterpart; a node's addresses are \${node.address.internal} and .external`);
  return literal(text).replace(/\$(private|public)_ipv4/g, (found) => VALUES[found] ?? found);
}
