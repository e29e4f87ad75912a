import { z } from 'zod';
import { instant, list, listMap, osVersion, rule, set } from './fields.ts';
import { healthGate } from './health.ts';
import { configStatus, configWanted } from './node-config-state.ts';
import { REBOOT_REASONS, ROLLOUT_REASONS } from './reasons.ts';
import { payload } from './channel-source.ts';
import { publicKey } from './update-channel.ts';

/** What `operators/update` wants of the node. Field manager: `careen-update`. */
const update = rule(
  z.object({
    group: z.string().max(253).optional().describe('NodeGroup that the node belongs to.'),
    channel: z.string().max(253).optional().describe('UpdateChannel that the version comes from.'),
    version: osVersion
      .optional()
      .describe('Version that the node should run. Absent: keep what runs, and drop what is staged.'),
    payload: payload
      .optional()
      .describe('Where the version is fetched from; absent when the node runs it already.'),
    keys: set(publicKey, 8)
      .optional()
      .describe('minisign public keys, one of which must have signed the manifest.'),
    engine: z.enum(['auto', 'gpt']).optional().describe('How slots are switched; auto: as the agent finds.'),
    attempt: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe('Raised by one to have a version tried again that failed on the node.'),
    allowDowngrade: z.boolean().optional().describe('The version may be older than the one that runs.'),
    health: healthGate.optional().describe('Gate of the first boot.'),
    hold: z
      .object({
        reason: z.enum(ROLLOUT_REASONS).describe('A word for machines.'),
        message: z.string().max(1024).describe('A sentence for people.'),
        since: instant.describe('Since when it is held.'),
      })
      .optional()
      .describe('Why the node is not given the version that its group goes to.'),
  }),
  {
    cel: '!has(self.payload) || (has(self.version) && has(self.keys) && has(self.attempt))',
    message: 'a payload comes with its version, keys and attempt',
    test: ({ payload: wanted, version, keys, attempt }) =>
      wanted === undefined || (version !== undefined && keys !== undefined && attempt !== undefined),
  },
);

export const grant = z.object({
  id: z.string().min(1).max(128).describe('Differs for every grant.'),
  nodeUID: z
    .string()
    .max(64)
    .describe('UID of the Node that may reboot; an impostor of the same name may not.'),
  bootID: z.string().max(64).describe('Boot that may be ended; once another boot runs, the grant is spent.'),
  notAfter: instant.describe("Last instant at which the reboot may begin: the window's close, or sooner."),
  mode: z
    .enum(['reboot', 'drain'])
    .describe('reboot: the node is drained and may reboot. drain: it is drained and stays up.'),
});
export type Grant = z.infer<typeof grant>;

/** What `operators/reboot-lock` says to the node. Field manager: `careen-reboot-lock`. */
const reboot = z.object({
  grant: grant.optional().describe('Permission to reboot, once.'),
  notBefore: instant.optional().describe('After a drain that was given up: no new turn before this instant.'),
  hold: z
    .object({
      reason: z.enum(REBOOT_REASONS).describe('A word for machines.'),
      message: z.string().max(1024).describe('A sentence for people.'),
      since: instant.describe('Since when it is held.'),
    })
    .optional()
    .describe('Why the node does not reboot although it asks to, or where its turn stands.'),
});

export const nodeStateSpec = z.object({
  update: update.optional().describe('What operators/update wants of the node.'),
  reboot: reboot.optional().describe('What operators/reboot-lock says to the node.'),
  config: configWanted.optional().describe('What operators/node-config wants of the node.'),
});

export const PHASES = [
  'Idle', // nothing to do
  'Staging', // the passive slot is being written
  'Staged', // written, verified, waiting for the reboot
  'Arming', // reboot granted and accepted; the slot is being made the next to boot
  'Rebooting', // armed, on the way down
  'Verifying', // first boot of the version; the health gate runs
  'Succeeded', // marked good
  'Failed', // could not be staged or armed; see error
  'RolledBack', // was booted and is not what runs now; see error
] as const;
export type Phase = (typeof PHASES)[number];

/** Closed set of error codes of the agent, for machines; the message says what to do. */
export const UPDATE_ERRORS = [
  'ManifestUnreachable', // the manifest or its signature could not be fetched; see whether the node reaches the URL
  'ManifestInvalid', // the manifest is not what the format asks for; publish it again
  'ManifestExpired', // the manifest must not be taken any more; publish the version again
  'ClockWrong', // the node's clock is before the manifest was made; set the clock
  'SignatureInvalid', // the signature does not fit the manifest; somebody changed one of them
  'KeyUnknown', // the manifest is signed by a key that the channel does not trust; add the key or sign again
  'DigestMismatch', // the manifest or the whole image has another SHA-256 than promised; publish it again
  'VersionMismatch', // the manifest or the image is of another version than asked for; correct the release
  'DowngradeRefused', // the image is older than what runs; set allowDowngrade if that is meant
  'PayloadUnreachable', // the image could not be fetched; see whether the node reaches the URL
  'PayloadTruncated', // the image ends too early; upload it again
  'ChunkCorrupt', // a piece of the image differs from the manifest; upload it again, look at proxies
  'MediumCorrupt', // the disk returned other bytes than were written; look at the disk
  'SlotTooSmall', // the image is larger than the partition; build a smaller one
  'SlotBusy', // the passive partition is mounted or in use; unmount it
  'SlotRunning', // the slot to be written is the one that runs; nothing was touched
  'WrongDisk', // the disk is not the one that the system runs from; check --disk
  'GptInvalid', // the partition table is damaged; repair it
  'NoSlots', // the disk has no pair of slots
  'ReadOnlyDevice', // the disk is read-only
  'DiskFull', // no room for the state of the agent; make room on its file system
  'IoError', // the disk failed; see the kernel log
  'StateUnwritable', // the state folder of the agent cannot be written; see its mount
  'HealthDeadline', // the health gate did not pass in time; the node went back
  'BootFailed', // the new version did not come up; the firmware went back
  'ManualRollback', // somebody booted the old slot
  'RebootFailed', // the host refused to reboot; see logind
  'Internal', // a fault of the agent; see its log and report it
] as const;
export type UpdateErrorCode = (typeof UPDATE_ERRORS)[number];

const slot = z.object({
  name: z.string().max(36).describe('Partition name, such as USR-A.'),
  partUUID: z.string().max(36).optional().describe('PARTUUID of the partition.'),
  version: z.string().max(64).optional().describe('What the agent knows to be in the slot.'),
  priority: z.int().min(0).max(15).describe('The firmware prefers the highest; 0 is never booted.'),
  tries: z.int().min(0).max(15).describe('Boots that are left to an unproven slot.'),
  successful: z.boolean().describe('Marked good: booted without counting tries.'),
  booted: z.boolean().describe('This slot runs now.'),
  next: z.boolean().describe('The firmware would choose this slot.'),
  digest: z.string().max(64).optional().describe('SHA-256 of the image that was verified in the slot.'),
});
export type SlotStatus = z.infer<typeof slot>;

const updateError = z.object({
  code: z.enum(UPDATE_ERRORS).describe('A word for machines.'),
  message: z.string().max(1024).describe('What went wrong and what to do.'),
});

const updateStatus = z.object({
  phase: z.enum(PHASES).describe('How far the update is, as a fact that the agent saw.'),
  version: z.string().max(64).optional().describe('Version that the phase speaks of.'),
  from: z.string().max(64).optional().describe('Version that ran before.'),
  attempt: z.int().min(0).optional().describe('The attempt of spec.update that the phase speaks of.'),
  progress: z
    .object({
      bytes: z.int().min(0).describe('Bytes of the image that are written.'),
      total: z.int().min(0).describe('Bytes of the image.'),
      reused: z.int().min(0).describe('Of these, bytes that did not have to be fetched.'),
    })
    .optional()
    .describe('How much of the image is written.'),
  error: updateError.optional().describe('Why the update failed.'),
  since: instant.describe('When the phase began.'),
});
export type UpdateStatus = z.infer<typeof updateStatus>;

export const nodeStateStatus = z.object({
  bootID: z.string().max(64).optional().describe("The kernel's random ID of this boot."),
  machineID: z.string().max(64).optional().describe('ID of the installation (/etc/machine-id).'),
  os: z
    .object({
      id: z.string().max(64).describe('ID of os-release.'),
      version: z.string().max(64).describe('VERSION_ID of os-release.'),
      kernel: z.string().max(128).optional().describe('Release of the kernel.'),
    })
    .optional()
    .describe('What runs.'),
  agentVersion: z.string().max(64).optional().describe('Version of the agent.'),
  engine: z
    .enum(['gpt', 'none'])
    .optional()
    .describe('How this node switches slots; none: it has no slots that careen knows.'),
  slots: listMap(slot, ['name'], 8).optional().describe('The partitions that take turns.'),
  update: updateStatus.optional().describe('The update under way, or the last one.'),
  reboot: z
    .object({
      requested: z.boolean().describe('It asks.'),
      kind: z
        .enum(['Reboot', 'Drain'])
        .optional()
        .describe(
          'What it asks for; a drain without a reboot serves again when it asks no more. Absent: Reboot.',
        ),
      reasons: list(z.string().max(256), 8).describe('What the reboot is for.'),
      accepted: z
        .string()
        .max(128)
        .optional()
        .describe(
          'Grant that the configuration acts on, or acted on last. While the request that it answers stands nobody takes it back.',
        ),
      since: instant.describe('Since when it asks, or does not.'),
    })
    .optional()
    .describe('Whether the node asks to be rebooted.'),
  config: configStatus.optional().describe('The configuration of the node.'),
  health: z
    .object({
      checks: listMap(
        z.object({
          name: z.string().max(63).describe('Name of the check.'),
          passed: z.boolean().describe('Whether it passed at last.'),
          message: z.string().max(512).describe('What it found.'),
        }),
        ['name'],
        16,
      ).describe('Each check, as it last ended.'),
    })
    .optional()
    .describe('The gate of the last first boot.'),
  quarantine: listMap(
    z.object({
      version: z.string().max(64).describe('The version.'),
      reason: z.enum(UPDATE_ERRORS).describe('How it failed.'),
      attempt: z.int().min(0).describe('The attempt that failed; a higher one is tried.'),
      since: instant.describe('When it failed.'),
    }),
    ['version'],
    16,
  )
    .optional()
    .describe('Versions that were booted on this node and failed.'),
  history: list(
    z.object({
      version: z.string().max(64).describe('Version that the update went to.'),
      from: z.string().max(64).optional().describe('Version that ran before.'),
      result: z.enum(['Succeeded', 'Failed', 'RolledBack']).describe('How it ended.'),
      error: updateError.optional().describe('Why it failed.'),
      finishedAt: instant.describe('When it ended.'),
    }),
    20,
  )
    .optional()
    .describe('What happened, newest first.'),
  lastReport: instant
    .optional()
    .describe('When the agent last wrote this status; it writes only what changed.'),
});

export type NodeStateSpec = z.infer<typeof nodeStateSpec>;
export type NodeStateStatus = z.infer<typeof nodeStateStatus>;
