import { z } from 'zod';
import { ACTIONS, unitName } from './config-fields.ts';
import { CONFIG_ERRORS, CONFIG_PHASES } from './config-errors.ts';
import { instant, list, listMap } from './fields.ts';
import { CONFIG_REASONS } from './reasons.ts';

/** The configuration's part of a NodeState. */

const sha256 = z
  .string()
  .length(64)
  .regex(/^[0-9a-f]{64}$/);

/** What `operators/node-config` wants of the node. Field manager: `careen-node-config`. */
export const configWanted = z.object({
  rendered: z
    .string()
    .max(253)
    .optional()
    .describe('RenderedConfig that the node should have. Absent: no NodeConfig selects it.'),
  hash: sha256
    .optional()
    .describe(
      "Of the node's bundle, its own values and secrets included. Absent: what careen put there is removed.",
    ),
  generation: z
    .int()
    .min(1)
    .optional()
    .describe('Raised with each new hash; an agent refuses to go back by itself.'),
  apply: z.boolean().optional().describe('False: plan only, change nothing.'),
  hold: z
    .object({
      reason: z.enum(CONFIG_REASONS).describe('A word for machines.'),
      message: z.string().max(1024).describe('A sentence for people.'),
      since: instant.describe('Since when it is held.'),
    })
    .optional()
    .describe('Why the node is not told to apply what it should have.'),
});

const change = z.object({
  kind: z.enum(['File', 'Directory', 'Link', 'Unit', 'AuthorizedKeys', 'KernelArguments']).describe('What.'),
  name: z.string().max(1024).describe('Path, unit or user.'),
  change: z.enum(['Create', 'Update', 'Remove']).describe('How.'),
  from: z.string().max(253).optional().describe('NodeConfig that wants it so.'),
  diff: z.string().max(4096).optional().describe('Unified diff, cut where it is long; none of secrets.'),
});

const action = z.object({
  action: z.enum(ACTIONS).describe('What follows.'),
  unit: unitName.optional().describe('Of which unit.'),
});

const error = z.object({
  code: z.enum(CONFIG_ERRORS).describe('A word for machines.'),
  message: z.string().max(1024).describe('What went wrong and what to do.'),
});

/** What the agent says of the node's configuration. */
export const configStatus = z.object({
  phase: z.enum(CONFIG_PHASES).describe('How far the change is, as a fact that the agent saw.'),
  hash: sha256.optional().describe('What the phase speaks of.'),
  generation: z.int().min(1).optional().describe('Of what the phase speaks of.'),
  applied: sha256.optional().describe('What is in force.'),
  appliedRendered: z.string().max(253).optional().describe('RenderedConfig of what is in force.'),
  lastGood: sha256.optional().describe('What was in force before, and would be again.'),
  lastGoodRendered: z.string().max(253).optional().describe('RenderedConfig of it.'),
  transaction: z.string().max(64).optional().describe('The change under way, or the last one.'),
  plan: z
    .object({
      hash: sha256.describe(
        'Stands for the changes and what follows them, the same on nodes that plan the same.',
      ),
      changes: list(change, 64).describe('What would change, or did.'),
      more: z.int().min(0).describe('Changes that are not listed.'),
      actions: list(action, 64).describe('What follows, each once, in order.'),
      drains: z.boolean().describe('The node is drained for it.'),
      reboots: z.boolean().describe('The node is rebooted for it.'),
    })
    .optional()
    .describe('What hash would change on this node.'),
  drift: listMap(
    z.object({
      path: z.string().max(1024).describe('What was changed by others.'),
      kind: z.enum(['Content', 'Mode', 'Owner', 'Missing', 'Type', 'Unit']).describe('How it differs.'),
      healed: z.boolean().describe('It was made as it should be again.'),
      since: instant.describe('When it was found.'),
    }),
    ['path'],
    32,
  )
    .optional()
    .describe('What others changed.'),
  unsupported: z.string().max(1024).optional().describe('Why this host cannot be configured.'),
  error: error.optional().describe('Why it failed.'),
  since: instant.describe('When the phase began.'),
});

export type ConfigWanted = z.infer<typeof configWanted>;
export type ConfigStatus = z.infer<typeof configStatus>;
export type ConfigPlan = NonNullable<ConfigStatus['plan']>;
