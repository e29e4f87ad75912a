import type { ConfigWanted } from '#api/node-config-state.ts';
import type { Plan } from '../rollout/plan.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import { isTold } from '../rollout/facts.ts';
import { wantedConfig } from '../state/wanted-config.ts';
import type { ConfigReason } from '#api/reasons.ts';
import type { Settling } from '#operators/rollout/settling.ts';

/** One write that is to be made. */
export interface Change {
  node: NodeFacts;
  next: ConfigWanted;
}

/** Changes in the order in which they are made; within one stage the order is free. */
export interface Changes {
  /** The word to apply, taken back. */
  withdrawals: Change[];
  /** The word to apply, first, then what is to be planned, then holds. */
  rest: Change[];
  /** When an unsettled reason would have to be written, in ms from now. */
  settlesInMs: number | undefined;
}

export function changesOf(
  plan: Plan,
  nodes: readonly NodeFacts[],
  settling: Settling<ConfigReason>,
  now: number,
): Changes {
  settling.keepOnly(new Set(nodes.map(({ name }) => name)));
  const changes: Changes = { withdrawals: [], rest: [], settlesInMs: undefined };
  for (const node of nodes) {
    const assignment = plan.assignments.get(node.name);
    if (assignment === undefined) continue;
    const unsettledMs = settling.see(node.name, assignment.verdict.reason, now);
    const context = { settled: unsettledMs === 0, now: new Date(now).toISOString() };
    const next = wantedConfig(node, assignment, context);
    if (unsettledMs > 0) changes.settlesInMs = Math.min(changes.settlesInMs ?? unsettledMs, unsettledMs);
    if (next === node.wanted) continue;
    const isWithdrawn = isTold(node) && next.apply !== true && next.hash === node.wanted.hash;
    changes[isWithdrawn ? 'withdrawals' : 'rest'].push({ node, next });
  }
  changes.rest.sort((a, b) => urgency(a) - urgency(b));
  return changes;
}

function urgency({ node, next }: Change): number {
  if (next.apply === true) return 0;
  return next.hash === node.wanted.hash ? 2 : 1;
}
