import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import { configProbe, disruptionRule, hostPath } from './config-fields.ts';
import { directory, file, kernelArgument, link, sshKeys, sysctls, text, unit } from './config-items.ts';
import {
  countOrPercent,
  duration,
  instant,
  labelSelector,
  list,
  listMap,
  set,
  shortName,
  timeZone,
} from './fields.ts';
import { rolloutWave, waveStatuses } from './rollout-wave.ts';

const validation = z.object({
  path: hostPath.describe('A file of this config.'),
  argv: list(z.string().max(4096), 64)
    .min(1)
    .describe(
      'Program and arguments, run on the host before anything changes; "{}" stands for the staged file. No shell.',
    ),
});

const rollout = z.object({
  waves: listMap(rolloutWave, ['name'], 16)
    .default([])
    .describe('Waves in order; nodes that no wave takes form a last one. None given: all nodes at once.'),
  maxApplying: countOrPercent.default('100%').describe('How many nodes may apply a change at once.'),
  haltOn: z
    .object({
      failures: z
        .int()
        .min(1)
        .max(100_000)
        .default(1)
        .describe('Halt when the change failed on, or was undone by, this many nodes.'),
      percent: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .describe('Halt when it failed on this share of the nodes that tried it.'),
      minTried: z
        .int()
        .min(1)
        .max(100_000)
        .default(5)
        .describe('percent counts once this many nodes have tried.'),
    })
    .prefault({})
    .describe('When a rollout stops by itself; a changed spec is a new rollout.'),
  approval: z
    .enum(['None', 'Required'])
    .default('None')
    .describe('Required: nodes only plan, until approvedPlan names what they planned.'),
  approvedPlan: z
    .string()
    .length(64)
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('status.rollout.planHash as somebody read and accepted it.'),
});

export const nodeConfigSpec = z.object({
  nodeSelector: labelSelector.describe('Nodes that are configured so; {} selects every node.'),
  priority: z
    .int()
    .min(-1000)
    .max(1000)
    .default(0)
    .describe(
      'Of two configs that want the same path, unit or setting, the higher priority has its way; equal ones are a conflict.',
    ),
  paused: z
    .boolean()
    .default(false)
    .describe('No node begins to apply this config; nodes on their way finish.'),
  files: listMap(file, ['path'], 256).default([]).describe('Regular files.'),
  directories: listMap(directory, ['path'], 128).default([]).describe('Directories.'),
  links: listMap(link, ['path'], 128).default([]).describe('Symbolic links.'),
  units: listMap(unit, ['name'], 128).default([]).describe('systemd units.'),
  sysctls: sysctls.default({}).describe('Kernel settings by name, applied at once and at each boot.'),
  kernelModules: set(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z0-9_-]+$/),
    128,
  )
    .default([])
    .describe(
      'Modules loaded at once and at each boot. One that is removed stays loaded until the next boot.',
    ),
  kernelArguments: z
    .object({
      add: set(kernelArgument, 64).default([]).describe('Arguments that must be there.'),
      remove: set(kernelArgument, 64).default([]).describe('Arguments that must not be there.'),
    })
    .prefault({})
    .describe('Kernel command line; a change takes a reboot, together with an update where one is due.'),
  sshAuthorizedKeys: listMap(sshKeys, ['user'], 32).default([]).describe('Who may log in.'),
  hostname: text(253).optional().describe('Host name; may be "${node.name}".'),
  timezone: timeZone.optional().describe('IANA time zone of the host.'),
  ignition: z
    .string()
    .max(524_288)
    .optional()
    .describe(
      'An Ignition 3.x document (JSON). What it says of files, directories, links, units, ssh keys and kernel arguments joins this config; what goes beyond is refused by name.',
    ),
  disruption: list(disruptionRule, 64)
    .default([])
    .describe('What follows a change; the first rule that matches decides, before the defaults.'),
  validate: listMap(validation, ['path'], 64)
    .default([])
    .describe('Programs that judge a file before it is used.'),
  probes: listMap(configProbe, ['name'], 16)
    .default([])
    .describe('What must hold after a change, or it is undone; besides those that careen always asks.'),
  confirm: z
    .object({
      timeout: duration
        .default('5m')
        .describe('After this time without confirmation the change is undone, even if the agent is dead.'),
      settle: duration.default('20s').describe('How long all probes must hold without a break.'),
    })
    .prefault({})
    .describe('When a change counts as good.'),
  drift: z
    .enum(['Heal', 'Report', 'Ignore'])
    .default('Heal')
    .describe('What happens when somebody else changes what this config owns.'),
  allowCritical: z
    .boolean()
    .default(false)
    .describe('This config may touch what the node hangs on: kubelet, container runtime, network.'),
  rollout: rollout.prefault({}).describe('In what order and how many at once nodes get a change.'),
});

const count = z.int().min(0).default(0);

export const nodeConfigStatus = z.object({
  observedGeneration,
  total: count.describe('Nodes that it selects.'),
  upToDate: count.describe('Nodes that have it in force.'),
  planned: count.describe('Nodes that have said what it would change, and wait.'),
  applying: count.describe('Nodes that apply it or wait for its confirmation.'),
  failed: count.describe('Nodes on which it failed or was undone.'),
  drifted: count.describe('Nodes on which something that it owns was changed by others.'),
  conflicted: count.describe('Nodes that keep what they have because of a conflict.'),
  conflicts: list(
    z.object({
      what: z.string().max(1088).describe('What both want, such as "file /etc/motd".'),
      with: z.string().max(253).describe('The other NodeConfig.'),
      nodes: z.int().min(0).describe('How many nodes are concerned.'),
      example: z.string().max(253).describe('One of them.'),
    }),
    32,
  )
    .optional()
    .describe('What this config and others want differently at equal priority.'),
  rollout: z
    .object({
      hash: z.string().max(64).describe('What is rolled out: the hash of this config as rendered.'),
      startedAt: instant.describe('When it began.'),
      wave: shortName.optional().describe('The wave under way.'),
      waves: waveStatuses.optional().describe('How far the waves have come; absent when none are declared.'),
      planHash: z
        .string()
        .max(64)
        .optional()
        .describe('Stands for all that the nodes planned; for approvedPlan. Absent until all have planned.'),
      disruptive: count.describe('Nodes whose plan drains or reboots them.'),
      halted: z
        .object({
          reason: z.string().max(1024).describe('A sentence for people.'),
          since: instant.describe('Since when.'),
          nodes: list(z.string().max(253), 10).describe('Nodes that failed, ten at most.'),
          silent: z
            .boolean()
            .optional()
            .describe(
              'They only were not heard of: once all are, and none has failed, it goes on by itself.',
            ),
          with: list(z.string().max(253), 16)
            .optional()
            .describe(
              'NodeConfigs that changed on those nodes as well; a change of one of them is a new trial.',
            ),
        })
        .optional()
        .describe('Why nothing begins any more.'),
    })
    .optional()
    .describe('The rollout under way, or the last one.'),
  conditions,
});

export type NodeConfigSpec = z.infer<typeof nodeConfigSpec>;
export type NodeConfigStatus = z.infer<typeof nodeConfigStatus>;
