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
  /** The user whose authorized_keys, or the directory of it, it is. */
  keysOf: z.string().optional(),
});
export type Change = z.infer<typeof changeSchema>;

/** How people call it. */
export function verbOf({ before, after }: Pick<Change, 'before' | 'after'>): 'Create' | 'Update' | 'Remove' {
  if (after.type === 'absent') return 'Remove';
  return before.type === 'absent' ? 'Create' : 'Update';
}

/** The kind under which the status lists it: of what is there afterwards, or was. */
export function kindOf(change: Change): 'AuthorizedKeys' | 'File' | 'Directory' | 'Link' {
  if (change.keysOf !== undefined) return 'AuthorizedKeys';
  const { before, after } = change;
  const { type } = after.type === 'absent' ? before : after;
  if (type === 'directory') return 'Directory';
  return type === 'link' ? 'Link' : 'File';
}
