import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Phase } from '#api/node-state.ts';

/**
 * Where a node is on its way to a version: the agent's phase, of which `Staged` falls into what the operator does
 * meanwhile, and `Succeeded` into the time until the cordon is gone and the rest.
 */
export type Moment = Exclude<Phase, 'Idle' | 'Arming'> | 'Idle' | 'Draining' | 'Granted' | 'Settling';

export function momentOf(node: Node, { spec, status }: NodeState): Moment {
  const phase = status?.update?.phase ?? 'Idle';
  const cordoned = node.spec?.unschedulable === true;
  if (phase === 'Staged') {
    if (spec.reboot?.grant?.bootID === status?.bootID && status?.bootID !== undefined) return 'Granted';
    return cordoned ? 'Draining' : 'Staged';
  }
  if (phase === 'Succeeded' && cordoned) return 'Settling';
  return phase === 'Arming' ? 'Rebooting' : phase;
}
