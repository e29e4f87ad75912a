import { CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Holder } from '#api/reboot-lock.ts';
import type { Phase } from '#api/node-state.ts';
import { ourConditions } from '../condition/condition.ts';

/** One thing of careen's that is to be taken back; each is written with the version that it was seen in. */
export type Belonging =
  /** What spec.reboot tells the node: a grant that it has not accepted, a pause, a reason. */
  | { what: 'reboot'; state: NodeState; grant: boolean }
  /** Our cordon; `stays`: a person wants the node cordoned, so that only our mark goes. */
  | { what: 'cordon'; node: Node; stays: boolean; rebooting: boolean }
  | { what: 'conditions'; node: Node }
  | { what: 'places'; lock: RebootLock; kept: Holder[]; given: string[] };

export interface Estate {
  nodes: readonly Node[];
  states: readonly NodeState[];
  locks: readonly RebootLock[];
}

/**
 * Everything that careen would leave behind in the cluster, in the order in which it is taken back: no node is
 * uncordoned while it may still accept its grant. A node that has accepted it goes down and comes back by itself; it
 * is uncordoned at once, since nobody would do it afterwards.
 */
export function belongings({ nodes, states, locks }: Estate): Belonging[] {
  const phases = new Map(states.map((state) => [state.metadata.name, phaseOf(state)]));
  const rebooting = (name: string): boolean => DOWN.has(phases.get(name) ?? 'Idle');
  return [
    ...states
      .filter((state) => told(state) && !rebooting(state.metadata.name))
      .map((state) => rebootOf(state)),
    ...nodes
      .filter(({ metadata }) => metadata.annotations?.[CORDON_ANNOTATION] !== undefined)
      .map((node) => cordonOf(node, rebooting(node.metadata.name))),
    ...nodes
      .filter((node) => ourConditions(node).length > 0)
      .map((node) => ({ what: 'conditions' as const, node })),
    ...locks.flatMap((lock) => placesOf(lock, phases)),
  ];
}

/** Past the point of no return: the grant is accepted, and taking it back would change nothing. */
const DOWN: ReadonlySet<Phase> = new Set(['Arming', 'Rebooting']);

/** A reboot for the configuration alone is accepted in other words than one for an update. */
function phaseOf({ spec, status }: NodeState): Phase {
  const { grant } = spec?.reboot ?? {};
  const { requested, accepted, kind } = status?.reboot ?? {};
  const config = requested === true && grant !== undefined && accepted === grant.id && kind !== 'Drain';
  return config && grant.bootID === status?.bootID ? 'Rebooting' : (status?.update?.phase ?? 'Idle');
}

function told({ spec }: NodeState): boolean {
  return Object.keys(spec?.reboot ?? {}).length > 0;
}

function rebootOf(state: NodeState): Belonging {
  return { what: 'reboot', state, grant: state.spec.reboot?.grant !== undefined };
}

function cordonOf(node: Node, rebooting: boolean): Belonging {
  const stays = node.metadata.annotations?.[KEEP_CORDONED_ANNOTATION] !== undefined;
  return { what: 'cordon', node, stays, rebooting };
}

/** Nodes that are away keep their place, for an operator that may come back; so do machines outside the cluster. */
function placesOf(lock: RebootLock, phases: ReadonlyMap<string, Phase>): Belonging[] {
  const holders = lock.status?.holders ?? [];
  const away = ({ id, uid }: Holder): boolean => {
    const phase = phases.get(id) ?? 'Idle';
    return uid === '' || DOWN.has(phase) || phase === 'Verifying';
  };
  const kept = holders.filter((holder) => away(holder));
  if (kept.length === holders.length) return [];
  const given = holders.filter((holder) => !away(holder)).map(({ id }) => id);
  return [{ what: 'places', lock, kept, given }];
}
