import { z } from 'zod';
import { instant, listMap } from './fields.ts';

/** A status condition (KEP-1623). `Ready` is always present; `Reconciling` and `Stalled` only while True. */
export const condition = z.object({
  type: z.string().min(1).max(316).describe('What the condition speaks of.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('A word for machines.'),
  message: z.string().max(4096).describe('A sentence for people.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The generation of the object that this was said of.'),
  lastTransitionTime: instant.describe('When status last changed.'),
});
export type Condition = z.infer<typeof condition>;

export const conditions = listMap(condition, ['type'], 16)
  .optional()
  .describe('What holds for this object now.');

type Said = Omit<Condition, 'lastTransitionTime'>;

/** The condition list after `said` was said at `now`: transition times of unchanged statuses are kept, others set. */
export function withConditions(
  before: readonly Condition[] | undefined,
  said: readonly Said[],
  now: string,
): Condition[] {
  return said.map((next) => {
    const old = before?.find((one) => one.type === next.type);
    return { ...next, lastTransitionTime: old?.status === next.status ? old.lastTransitionTime : now };
  });
}

/** Status fields that every kind has, with the schema default that makes a new object "in progress" (kstatus). */
export const observedGeneration = z
  .int()
  .min(-1)
  .default(-1)
  .describe(
    'The generation of the spec that this status speaks of; -1 until a controller has seen the object.',
  );
