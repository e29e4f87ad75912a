import type { Wanted } from '../desire/desires.ts';
import type { Reading } from '../desire/read-config.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import type { ConfigFacts } from '../rollout/rollout.ts';
import type { Subject } from './carry-out.ts';
import type { Changes } from './changes.ts';

/** What one round of planning works with. */
export interface Round {
  readings: readonly Reading[];
  wanted: Wanted;
  facts: { nodes: readonly NodeFacts[]; configs: readonly ConfigFacts[] };
  plan: Plan;
  /** By node. */
  subjects: ReadonlyMap<string, Subject>;
  changes: Changes;
  /** ms since the epoch. */
  now: number;
}
