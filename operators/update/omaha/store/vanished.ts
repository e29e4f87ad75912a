import type { Decision } from './decision.ts';
import type { Machine, RolloutStanding } from './machine.ts';

/** The usual end of a grant whose deadline has passed: the place is given back, and the attempt has failed. */
export function vanished(machine: Machine): Decision {
  const { grant } = machine;
  if (grant === undefined) return {};
  const message = `was given ${grant.version} and did not come to an end in time`;
  return {
    phase: 'Failed',
    release: true,
    failure: { version: grant.version, code: 0, kind: 'vanished' },
    rollout: failed(machine.rollout),
    history: [{ kind: 'Vanished', message, version: grant.version }],
  };
}

/** What a machine becomes that is archived: a rollout that waited for it counts it as failed. */
export function silent(machine: Machine): Decision {
  const history = [{ kind: 'Archived', message: 'was not heard of for long', version: machine.version }];
  if (machine.grant !== undefined) return { ...vanished(machine), history };
  return { rollout: failed(machine.rollout), history };
}

function failed(rollout: RolloutStanding | undefined): RolloutStanding | undefined {
  return rollout?.outcome === 'pending' ? { ...rollout, outcome: 'failed' } : rollout;
}
