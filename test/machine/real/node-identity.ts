import { GATEWAY } from './network.ts';

/** Where a node is found, and what it calls its own. */
export interface NodeIdentity {
  name: string;
  /** From 1. */
  number: number;
  address: string;
  podRange: string;
  /** The node's end of its cable at the bridge; at most 15 characters. */
  cable: string;
  /** Of its network card, the same at every boot. */
  mac: string;
}

/** The node with this number in its fleet's network: there is room for 200. */
export function nodeIdentity(name: string, number: number): NodeIdentity {
  const network = GATEWAY.replace(/\d+$/u, '');
  return {
    name,
    number,
    address: `${network}${10 + number}`,
    podRange: `10.244.${number}.0/24`,
    cable: `node${number}`,
    mac: `02:00:0a:63:00:${(10 + number).toString(16).padStart(2, '0')}`,
  };
}
