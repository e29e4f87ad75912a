import { z } from 'zod';
import { stateSchema } from './state.ts';

/** What Careen has put at a path, and what it found there. */
export const ownedSchema = z.strictObject({
  path: z.string(),
  /** As Careen put it there. */
  applied: stateSchema,
  /** As it was when Careen first came; the content of a file is kept as a pre-image of its hash. */
  before: stateSchema,
  onRemove: z.enum(['Restore', 'Delete', 'Keep']),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  sensitive: z.boolean(),
  from: z.array(z.string()).readonly(),
});
export type Owned = z.infer<typeof ownedSchema>;
