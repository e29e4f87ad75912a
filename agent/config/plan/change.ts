import { z } from 'zod';
import { ownedSchema } from './owned.ts';
import { stateSchema } from './state.ts';

/** One path that goes from one state to another; with it, who owns the path afterwards. */
export const changeSchema = z.strictObject({
  path: z.string(),
  before: stateSchema,
  after: stateSchema,
  /** Undefined: the path is nobody's then. */
  owned: ownedSchema.optional(),
  sensitive: z.boolean(),
  from: z.array(z.string()).readonly(),
});
export type Change = z.infer<typeof changeSchema>;

/** How people call it. */
export function verbOf({ before, after }: Pick<Change, 'before' | 'after'>): 'Create' | 'Update' | 'Remove' {
  if (after.type === 'absent') return 'Remove';
  return before.type === 'absent' ? 'Create' : 'Update';
}

/** The kind under which the status lists it: of what is there afterwards, or was. */
export function kindOf({ before, after }: Pick<Change, 'before' | 'after'>): 'File' | 'Directory' | 'Link' {
  const { type } = after.type === 'absent' ? before : after;
  if (type === 'directory') return 'Directory';
  return type === 'link' ? 'Link' : 'File';
}
