import { z } from 'zod';
import { duration, durationMs, labelSelector, listMap, osVersion, rule, set } from './fields.ts';

const SHORTEST_POLL_MS = 45 * 60_000;
const LONGEST_POLL_MS = 4 * 3_600_000;

/** For which machines a group answers over the Omaha protocol, and how. */
export const omahaService = z.object({
  appID: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9{][A-Za-z0-9._:{}-]*$/)
    .describe('Application that the machines ask for; braces and case do not matter.'),
  tracks: set(z.string().min(1).max(64), 16)
    .min(1)
    .describe('What the machines have as their GROUP: the name of a track, or the id of a group elsewhere.'),
  machineSelector: labelSelector
    .prefault({})
    .describe(
      'Only machines with these labels: kubernetes.io/arch, omaha.careen.dev/track, board, oem, oem-version, alias and machine-id.',
    ),
  timeout: duration
    .default('1h')
    .describe('A machine that was given a release and tells no progress for so long has failed it.'),
  rebootTimeout: duration
    .default('24h')
    .describe('A machine that has installed a release and is not back with it after so long has failed it.'),
  onDemand: z
    .enum(['InTurn', 'AtOnce'])
    .default('InTurn')
    .describe(
      'What a person at the machine who asks for an update gets. AtOnce: waves, linear, maxUpdates and windows are passed by; budget, pause, halt and quarantine are not.',
    ),
  pollInterval: rule(duration, {
    cel: "duration(self) >= duration('45m') && duration(self) <= duration('4h')",
    message: 'clients take 45m to 4h',
    test: isPollInterval,
  })
    .optional()
    .describe('How often machines are to ask, where they heed it; without it they ask every 45m.'),
});

/** Text that is no duration is another check's to refuse. */
function isPollInterval(text: string): boolean {
  if (!duration.safeParse(text).success) return false;
  const ms = durationMs(text);
  return ms >= SHORTEST_POLL_MS && ms <= LONGEST_POLL_MS;
}

export type OmahaService = z.infer<typeof omahaService>;

const count = z.int().min(0).default(0);

export const machineCounts = z.object({
  total: count.describe('Machines that were heard of lately.'),
  upToDate: count.describe('Machines that came to the target of the rollout.'),
  waiting: count.describe('Machines that were told to wait.'),
  updating: count.describe('Machines that hold a place: from the grant to the end.'),
  installed: count.describe('Of these, machines that have installed it and wait for their reboot.'),
  failed: count.describe('Machines whose last attempt failed.'),
  rolledBack: count.describe('Machines that booted a release and fell back.'),
  archived: count.describe('Machines that were not heard of for long.'),
  versions: listMap(
    z.object({
      version: osVersion.describe('Version that runs.'),
      machines: z.int().min(0).describe('Machines that run it.'),
    }),
    ['version'],
    64,
  )
    .optional()
    .describe('How many machines run which version.'),
  held: listMap(
    z.object({
      reason: z.string().min(1).max(64).describe('A word for programs, as with nodes.'),
      machines: z.int().min(0).describe('Machines that wait for it.'),
    }),
    ['reason'],
    64,
  )
    .optional()
    .describe('Why machines wait: how many for which reason.'),
});
export type MachineCounts = z.infer<typeof machineCounts>;
