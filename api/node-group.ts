import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import {
  countOrPercent,
  duration,
  instant,
  labelSelector,
  list,
  listMap,
  objectName,
  osVersion,
  set,
} from './fields.ts';
import { healthGate } from './health.ts';
import { machineCounts, omahaService } from './omaha.ts';
import { rolloutWave } from './rollout-wave.ts';

const rollout = z.object({
  waves: listMap(rolloutWave, ['name'], 16)
    .default([])
    .describe('Waves in order; nodes that no wave takes form a last one. None given: all nodes at once.'),
  linear: z
    .object({ duration: duration.describe('From the first node to the last.') })
    .optional()
    .describe(
      'Open the rollout evenly over a time: half of the nodes may have the release when half of it has passed.',
    ),
  maxUpdates: z
    .object({
      count: z.int().min(0).max(100_000).describe('So many nodes.'),
      period: duration.describe('In any span of this length.'),
    })
    .optional()
    .describe('How many nodes may begin to update within a time; a node that tries again counts again.'),
  windows: set(objectName, 8)
    .default([])
    .describe(
      'Office hours: names of RebootWindows that must all be open when a node is given a release. Nodes at work on one finish.',
    ),
  maxStaging: countOrPercent
    .default('100%')
    .describe(
      'How many nodes may download and write a release at once. In a group with omaha, how many nodes and machines together may be on their way: each counts until it is back.',
    ),
  haltOn: z
    .object({
      failures: z
        .int()
        .min(1)
        .max(100_000)
        .default(1)
        .describe('Halt when this many nodes failed the version.'),
      percent: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .describe('Halt when this share of the nodes that tried it failed.'),
      minTried: z
        .int()
        .min(1)
        .max(100_000)
        .default(5)
        .describe('percent counts once this many nodes have tried.'),
      acknowledged: set(osVersion, 16)
        .default([])
        .describe(
          'Versions whose failures are known and accepted: they halt nothing, and nodes that failed them try again.',
        ),
    })
    .prefault({})
    .describe(
      'When a rollout stops by itself. It goes on with another version, or when the version is acknowledged.',
    ),
  retry: z
    .object({
      limit: z.int().min(0).max(20).default(3).describe('How often staging is tried again on a node.'),
      backoff: duration
        .default('1m')
        .describe('Wait before the first retry; doubles with each, up to an hour.'),
    })
    .prefault({})
    .describe(
      'What happens after a failure to stage. A version that failed after its boot is never retried by itself.',
    ),
});

export const drainPolicy = z.object({
  timeout: duration.default('10m').describe('How long a drain may take before onTimeout applies.'),
  onTimeout: z
    .enum(['Hold', 'Skip', 'Force'])
    .default('Hold')
    .describe(
      'Hold: keep the place and keep trying. Skip: uncordon, give the place back, try again later. Force: delete the remaining pods without asking their budgets.',
    ),
  gracePeriodSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe("Override of the pods' own grace period."),
  skipPodSelector: labelSelector.optional().describe('Pods that stay on the node and go down with it.'),
  deleteEmptyDirData: z
    .boolean()
    .default(true)
    .describe('Evict pods with emptyDir volumes; false: such a pod blocks the drain.'),
  force: z
    .boolean()
    .default(false)
    .describe('Evict pods that no controller would recreate; false: such a pod blocks the drain.'),
});
export type DrainPolicy = z.infer<typeof drainPolicy>;

const update = z.object({
  channel: objectName.describe('Name of the UpdateChannel that releases come from.'),
  version: osVersion.optional().describe('Pin: go to this release instead of the newest one.'),
  allowDowngrade: z
    .boolean()
    .default(false)
    .describe('Allow nodes to move to an older version than they run.'),
  paused: z.boolean().default(false).describe('Give no node a new version; nodes on their way finish.'),
  engine: z
    .enum(['auto', 'gpt'])
    .default('auto')
    .describe('How slots are switched; auto asks the agent what it found.'),
  rollout: rollout.prefault({}).describe('In what order and how many at once nodes get a release.'),
  omaha: omahaService
    .optional()
    .describe(
      'Offer the releases to machines that ask over the Omaha protocol, under the same policy and the same budget.',
    ),
});

const reboot = z.object({
  strategy: z
    .enum(['lock', 'reboot', 'off'])
    .default('lock')
    .describe(
      'lock: within the budget of every RebootLock. reboot: at once, within windows only. off: never.',
    ),
  maxUnavailable: countOrPercent
    .default(1)
    .describe("Budget of the group; kept as a RebootLock of the group's name. See RebootLock for the rules."),
  minReadySeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(10)
    .describe('How long a node must have been Ready again before its place is given on.'),
  delayBetween: duration.default('0s').describe('Least time between two grants in the group.'),
  drain: drainPolicy.prefault({}).describe('How pods leave a node before it reboots.'),
});

export const nodeGroupSpec = z.object({
  nodeSelector: labelSelector.describe('Nodes of the group; {} selects every node.'),
  priority: z
    .int()
    .min(-1000)
    .max(1000)
    .default(0)
    .describe(
      'A node that several groups select belongs to the one with the highest priority; to none if two share it.',
    ),
  update: update.optional().describe('How the nodes are updated; without it they are left on what they run.'),
  reboot: reboot.prefault({}).describe('How the nodes are rebooted.'),
  health: healthGate
    .prefault({})
    .describe('What a node must pass on a new version before the version counts as good.'),
});

const count = z.int().min(0).default(0);

export const nodeGroupStatus = z.object({
  observedGeneration,
  total: count.describe('Nodes in the group.'),
  upToDate: count.describe('Nodes that run the target.'),
  staging: count.describe('Nodes that download or write it.'),
  staged: count.describe('Nodes that have written it and ask for their reboot.'),
  rebooting: count.describe('Nodes on their way down or up.'),
  verifying: count.describe('Nodes whose health gate runs.'),
  held: count.describe('Nodes that wait for a decision of the rollout; see their NodeState for the reason.'),
  failed: count.describe('Nodes that could not stage the target.'),
  rolledBack: count.describe('Nodes that booted the target and fell back.'),
  quarantined: count.describe('Nodes on which the target is quarantined.'),
  offline: count.describe('Nodes that are NotReady or whose agent does not report.'),
  versions: listMap(
    z.object({
      version: osVersion.describe('Version that runs.'),
      nodes: z.int().min(0).describe('Nodes that run it.'),
    }),
    ['version'],
    64,
  )
    .optional()
    .describe('How many nodes run which version.'),
  machines: machineCounts
    .optional()
    .describe('The machines that ask over Omaha; those of the cluster that do are among them.'),
  rollout: z
    .object({
      target: osVersion.describe('Version that the group goes to.'),
      startedAt: instant.describe('When the group began to go there.'),
      wave: z
        .string()
        .max(63)
        .optional()
        .describe('The wave that is under way or soaking; absent when all are done.'),
      waves: list(
        z.object({
          name: z.string().max(63).describe('Name of the wave.'),
          nodes: z.int().min(0).describe('Nodes in the wave.'),
          done: z.int().min(0).describe('Nodes of the wave that run the target.'),
          machines: z.int().min(0).optional().describe('Machines outside the cluster in the wave.'),
          machinesDone: z.int().min(0).optional().describe('Machines of the wave that came to an end.'),
          upTo: z
            .string()
            .max(40)
            .optional()
            .describe('The wave takes machines whose place in the order of the rollout is not after this.'),
          doneAt: instant.optional().describe('When its last node arrived; the soak counts from here.'),
        }),
        17,
      )
        .optional()
        .describe('The waves in order; the last is rest, the nodes that no wave takes.'),
      starts: list(
        z.object({
          at: instant.describe('When.'),
          nodes: z.int().min(1).describe('How many nodes were given a release then.'),
        }),
        33,
      )
        .optional()
        .describe('What counts against maxUpdates, oldest first.'),
      halted: z
        .object({
          reason: z.string().max(1024).describe('Why, in a sentence.'),
          since: instant.describe('When it halted.'),
          nodes: list(z.string().max(253), 32).describe(
            'Nodes that failed, and ids of machines, at most 32 of them.',
          ),
        })
        .optional()
        .describe('Present while too many nodes failed the target: no further node gets it.'),
    })
    .optional()
    .describe('The rollout under way, or the last one.'),
  history: list(
    z.object({
      version: osVersion.describe('Version that the rollout went to.'),
      startedAt: instant.describe('When it began.'),
      endedAt: instant.describe('When it ended.'),
      result: z.enum(['Complete', 'Halted', 'Superseded']).describe('How it ended.'),
    }),
    10,
  )
    .optional()
    .describe('Rollouts that ended, newest first.'),
  conditions,
});

export type NodeGroupSpec = z.infer<typeof nodeGroupSpec>;
export type NodeGroupStatus = z.infer<typeof nodeGroupStatus>;
