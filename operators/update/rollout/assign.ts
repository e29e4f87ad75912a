import type { Assignment, Candidate, Situation } from './chain.ts';
import { decide } from './chain.ts';
import type { Machines } from './machines.ts';
import { placesOf, placesToStage, placesUntilBack } from './node-places.ts';
import type { Standing } from './outcome.ts';
import type { UpdatePolicy } from './policy.ts';
import { nextAttempt, wouldStage } from './progress.ts';
import type { RolloutStatus } from './rollout-status.ts';
import { roomInPeriod } from './starts.ts';

/** What limits how many nodes begin, besides the policy. */
export interface Limits {
  /** The machines that ask over Omaha; undefined where the group answers none. */
  machines?: Machines | undefined;
  /** How many nodes at most may begin to stage now, besides what the policy says. */
  room?: number | undefined;
  /** How many nodes may be down for their reboot at once; asked where there are machines. */
  mayBeDown?: number | undefined;
  /** `status.rollout` of the group as it was last written. */
  previous: RolloutStatus | undefined;
  /** ms since the epoch. */
  now: number;
}

export interface Assigned {
  /** For every node. */
  assignments: Map<string, Assignment>;
  /** Places that nodes hold already, and those that begin to stage with this plan. */
  staging: { held: number; more: number };
}

/** Decides over each node, then lets candidates in, in wave order, while there is room among those that stage. */
export function assign(
  standings: readonly Standing[],
  situation: Situation,
  { machines, room = Infinity, mayBeDown = Infinity, previous, now }: Limits,
  policy: UpdatePolicy,
): Assigned {
  const { maxStaging, maxUpdates } = policy.rollout;
  const decided = standings.map((standing) => ({ node: standing.node, answer: decide(standing, situation) }));
  const held = machines === undefined ? placesToStage(decided) : placesUntilBack(decided, mayBeDown);
  const places = Math.min(placesOf(policy, standings.length + (machines?.total ?? 0)) - held, room);
  const begins = roomInPeriod(policy, previous?.starts ?? [], now);
  let more = 0;
  const assignments = new Map<string, Assignment>();
  // A stable sort: within a wave the rollout's order stays.
  const waveOf = (name: string) => situation.waveOf.get(name) ?? 0;
  for (const { node, answer } of decided.toSorted((a, b) => waveOf(a.node.name) - waveOf(b.node.name))) {
    const attempt = answer.action === 'candidate' ? nextAttempt(node, answer.version) : 0;
    if (answer.action !== 'candidate') assignments.set(node.name, answer);
    else if (!wouldStage(node, answer.version, attempt)) assignments.set(node.name, offer(answer, attempt));
    else if (more < places && more < begins) {
      more += 1;
      assignments.set(node.name, offer(answer, attempt));
    } else if (more < places) assignments.set(node.name, tooMany(answer, maxUpdates));
    else assignments.set(node.name, full(answer, maxStaging));
  }
  return { assignments, staging: { held, more } };
}

function offer({ version }: Candidate, attempt: number): Assignment {
  const verdict = { reason: 'Offered' as const, message: `is given ${version}, attempt ${attempt}` };
  return { action: 'offer', version, attempt, verdict };
}

function full({ version }: Candidate, maxStaging: number | string): Assignment {
  const message = `${version} waits: maxStaging lets ${maxStaging} nodes stage at once`;
  return { action: 'withdraw', verdict: { reason: 'MaxStaging', message } };
}

function tooMany({ version }: Candidate, maxUpdates: UpdatePolicy['rollout']['maxUpdates']): Assignment {
  const { count = 0, period = '' } = maxUpdates ?? {};
  const message = `${version} waits: maxUpdates lets ${count} nodes begin within ${period}`;
  return { action: 'withdraw', verdict: { reason: 'MaxUpdates', message } };
}
