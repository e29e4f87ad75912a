import { z } from 'zod';
import { instant } from '#api/fields.ts';
import { healthGate } from '#api/health.ts';
import { nodeStateStatus, UPDATE_ERRORS } from '#api/node-state.ts';

const failure = z.object({ code: z.enum(UPDATE_ERRORS), message: z.string().max(1024) });
export type Failure = z.infer<typeof failure>;

/** The image that is written and verified in the passive slot. */
const staged = z.object({
  version: z.string(),
  attempt: z.int().min(0),
  /** SHA-256 of the manifest that was asked for, if one was: a re-published version is another target. */
  manifestSHA256: z.string().optional(),
  slot: z.string(),
  partUUID: z.string(),
  digest: z.string(),
  size: z.int().min(0),
  /** When the reboot was asked for, last. */
  requestedAt: instant,
});
export type Staged = z.infer<typeof staged>;

/**
 * A reboot into another slot: written before the slot is armed and gone when its outcome is known, so that
 * the next boot can be judged, and undone, without the API server.
 */
const armed = z.object({
  version: z.string(),
  from: z.string().optional(),
  attempt: z.int().min(0),
  partUUID: z.string(),
  /** The boot in which the slot was armed; any other is the outcome. Empty: somebody else armed it. */
  bootID: z.string(),
  grant: z.object({ id: z.string(), notAfter: instant }),
  /** The API server knows that we accepted the grant: the point of no return. Only then may the slot be armed. */
  accepted: z.boolean(),
  gate: healthGate,
  at: instant,
  /**
   * The first boot, as the agent saw it. `verdict` is why it is being given up; `stranded` why it should be, but
   * there is no other slot that boots.
   */
  trial: z
    .object({
      bootID: z.string(),
      since: instant,
      verdict: failure.optional(),
      stranded: z.object({ error: failure, at: instant }).optional(),
    })
    .optional(),
});
export type Armed = z.infer<typeof armed>;

/** How the last update that ended, ended. */
const last = z.object({
  phase: z.enum(['Succeeded', 'Failed', 'RolledBack']),
  version: z.string(),
  from: z.string().optional(),
  attempt: z.int().min(0),
  error: failure.optional(),
  at: instant,
});
export type Last = z.infer<typeof last>;

export const RECORD_FORMAT = 1;

/** What the agent must still know after it was killed, or after the machine was. Facts that the disk tells are not in it. */
export const recordSchema = z.object({
  format: z.literal(RECORD_FORMAT),
  /** GUID of the disk that careen writes to on this machine; never another one. */
  diskID: z.string().optional(),
  staged: staged.optional(),
  armed: armed.optional(),
  last: last.optional(),
  /** The version that was last marked good, and its slot: to tell a rollback by hand from a boot. */
  good: z.object({ version: z.string(), partUUID: z.string() }).optional(),
  /** Grants that were used, newest first. */
  spent: z.array(z.string()).max(8),
  /** Reboots of `staged` that did not happen. */
  rebootFailures: z.object({ count: z.int().min(1), error: failure }).optional(),
  health: nodeStateStatus.shape.health,
  quarantine: nodeStateStatus.shape.quarantine.unwrap(),
  history: nodeStateStatus.shape.history.unwrap(),
});
export type AgentRecord = z.infer<typeof recordSchema>;

export function emptyRecord(): AgentRecord {
  return { format: RECORD_FORMAT, spent: [], quarantine: [], history: [] };
}
