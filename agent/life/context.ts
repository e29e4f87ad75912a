import type { NodeStateStatus } from '#api/node-state.ts';
import type { AgentRecord } from '../record/record.ts';
import type { SlotEngine } from '../slots/engine.ts';
import type { Beside } from './beside.ts';
import type { Facts, Work } from './facts.ts';
import type { Parts } from './parts.ts';
import type { Step } from './step.ts';

/** What carrying out a step needs: the facts that it follows from, and the parts that it acts on. */
export interface Context {
  parts: Parts;
  beside: Beside;
  work: Work;
  engine: SlotEngine;
  facts: Facts;
  signal: AbortSignal;
}

export type Do<K extends Step['do']> = Extract<Step, { do: K }>;

/** Writes the record down; it is safe from a power cut when this returns. */
export async function save({ parts }: Context, record: AgentRecord): Promise<AgentRecord> {
  await parts.records.write(record);
  return record;
}

/** Now, as the record and the status write it. */
export function instant({ parts }: Context): string {
  return new Date(parts.now()).toISOString();
}

/** The last round of the gate, as status shows it. */
export function healthOf({ checks }: Work): NodeStateStatus['health'] {
  return checks === undefined ? undefined : { checks: [...checks] };
}
