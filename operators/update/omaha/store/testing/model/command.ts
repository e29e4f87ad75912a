import * as fc from 'fast-check';
import type { Decision, Limits } from '../../decision.ts';
import { MINUTE } from '../machines.ts';

/** What a test says becomes of a machine. */
export type Saying =
  | { say: 'nothing' | 'complete' | 'fail' | 'download' | 'release' }
  | { say: 'offer'; version: string; limits: Limits };

export type Command =
  | { do: 'contact'; id: number; group: string; version: string; saying: Saying }
  | { do: 'hold'; group: string; held: number; more: number; limits: Limits };

/** Commands that are given at once, after so many minutes; then perhaps a sweep. */
export interface Step {
  minutes: number;
  commands: readonly Command[];
  sweep: boolean;
}

export const TARGET = '2.0.0';

const group = fc.constantFrom('edge', 'core');
const limits: fc.Arbitrary<Limits> = fc.record(
  {
    inProgress: fc.nat({ max: 4 }),
    period: fc.record({ count: fc.nat({ max: 4 }), ms: fc.constantFrom(5, 30, 600).map((n) => n * MINUTE) }),
    failures: fc.record({ target: fc.constant(TARGET), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { requiredKeys: ['inProgress'] },
);
const saying: fc.Arbitrary<Saying> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      say: fc.constant('offer' as const),
      version: fc.constantFrom(TARGET, '3.0.0'),
      limits,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ say: fc.constantFrom('nothing', 'complete', 'fail', 'download', 'release') }),
  },
);
const version = fc.constantFrom('1.0.0', TARGET);
const contact = fc.record({
  do: fc.constant('contact' as const),
  id: fc.nat({ max: 7 }),
  group,
  version,
  saying,
});
const small = fc.nat({ max: 3 });
const hold = fc.record({ do: fc.constant('hold' as const), group, held: small, more: small, limits });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: contact },
  { weight: 1, arbitrary: hold },
);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    minutes: fc.constantFrom(1, 3, 20, 90, 1500),
    commands: fc.array(command, { maxLength: 12 }),
    sweep: fc.boolean(),
  }),
  { maxLength: 12 },
);

/** The decision that says it. */
export function decisionOf(saying: Saying, now: number): Decision {
  if (saying.say === 'complete') return { phase: 'Complete' };
  if (saying.say === 'download') return { phase: 'Downloading' };
  if (saying.say === 'release') return { release: true };
  if (saying.say === 'fail')
    return { phase: 'Failed', rollout: { target: TARGET, wave: 0, outcome: 'failed' } };
  if (saying.say !== 'offer') return {};
  const { version, limits } = saying;
  return {
    grant: { version, target: TARGET, deadline: now + 60 * MINUTE, limits },
    rollout: { target: TARGET, wave: 0, outcome: 'pending' },
  };
}
