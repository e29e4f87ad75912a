import { setTimeout as sleep } from 'node:timers/promises';
import type { RealMachineOptions } from './real-machine-options.ts';
import type { RunningNode } from './running-node.ts';

const WITHIN_MS = 60_000;

/**
 * Gives a node that boots its network card. One that dies at once, for want of an init, may be gone before the card is
 * there.
 * @param plugged asked at each attempt: the cable may be pulled meanwhile
 */
export async function plugIn(
  node: RunningNode,
  { network, identity }: Pick<RealMachineOptions, 'network' | 'identity'>,
  plugged: () => boolean,
): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (node.running && node.init !== undefined) {
    try {
      return await network.attach(identity, node.init, plugged());
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await sleep(20); // the last boot's cable is going, or the node is
    }
  }
}
