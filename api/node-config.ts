import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import { configProbe, disruptionRule, fileMode, hostPath, owner, unitName } from './config-fields.ts';
import {
  countOrPercent,
  duration,
  instant,
  labelSelector,
  list,
  listMap,
  objectName,
  rule,
  set,
  shortName,
  timeZone,
} from './fields.ts';
import { rolloutWave, waveStatuses } from './rollout-wave.ts';

/** Text that may hold `${node.name}` and its like; see docs/node-config.md for the closed set. */
const text = (max: number) => z.string().max(max);

const key = z
  .object({
    namespace: objectName.describe('Namespace; one of those that the operator may read.'),
    name: objectName.describe('Name of the object.'),
    key: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[-._a-zA-Z0-9]+$/)
      .describe('Key in its data.'),
  })
  .describe('One key of a ConfigMap or Secret.');

const contentsFrom = rule(
  z.object({
    configMap: key.optional().describe('A key of a ConfigMap.'),
    secret: key
      .optional()
      .describe('A key of a Secret; it reaches the nodes that need it and stands nowhere else.'),
  }),
  {
    cel: 'has(self.configMap) != has(self.secret)',
    message: 'give exactly one of configMap or secret',
    test: ({ configMap, secret }) => (configMap === undefined) !== (secret === undefined),
  },
);

const SPECIAL = /^[1-7][0-7]{3}$/;

const file = rule(
  rule(
    z.object({
      path: hostPath.describe('Absolute path on the host, without "." or "..".'),
      contents: text(262_144)
        .optional()
        .describe('The content as text; ${node.name} and its like are filled in.'),
      contentsBase64: z
        .string()
        .max(524_288)
        .regex(/^[A-Za-z0-9+/]*={0,2}$/)
        .optional()
        .describe('The content as bytes in base64; nothing is filled in.'),
      contentsFrom: contentsFrom.optional().describe('The content from an object; nothing is filled in.'),
      mode: fileMode.default('0644').describe('Permissions in octal.'),
      allowSpecialBits: z
        .boolean()
        .default(false)
        .describe('The mode may have the setuid, setgid or sticky bit.'),
      user: owner.default('root').describe("Owner: a name in the host's own passwd, or a number."),
      group: owner.default('root').describe("Group: a name in the host's own group file, or a number."),
      onRemove: z
        .enum(['Restore', 'Delete', 'Keep'])
        .default('Restore')
        .describe(
          'When no NodeConfig wants the file any more. Restore: what was there before, or nothing. Keep: leave it.',
        ),
      drift: z
        .enum(['Heal', 'Report', 'Ignore'])
        .optional()
        .describe("What happens when somebody else changes it; without it, the config's own drift."),
    }),
    {
      cel: '(has(self.contents) ? 1 : 0) + (has(self.contentsBase64) ? 1 : 0) + (has(self.contentsFrom) ? 1 : 0) == 1',
      message: 'give exactly one of contents, contentsBase64 or contentsFrom; an empty file has contents: ""',
      test: ({ contents, contentsBase64, contentsFrom: from }) =>
        [contents, contentsBase64, from].filter((one) => one !== undefined).length === 1,
    },
  ),
  {
    cel: "self.allowSpecialBits || !self.mode.matches('^[1-7][0-7]{3}$')",
    message: 'a mode with setuid, setgid or sticky bit needs allowSpecialBits: true',
    test: ({ allowSpecialBits, mode }) => allowSpecialBits || !SPECIAL.test(mode),
  },
);

const directory = z.object({
  path: hostPath.describe('Absolute path on the host, without "." or "..".'),
  mode: fileMode.default('0755').describe('Permissions in octal.'),
  user: owner.default('root').describe("Owner: a name in the host's own passwd, or a number."),
  group: owner.default('root').describe("Group: a name in the host's own group file, or a number."),
  onRemove: z
    .enum(['Delete', 'Keep'])
    .default('Delete')
    .describe('When no NodeConfig wants it any more. Delete: if careen made it and it is empty.'),
});

const link = z.object({
  path: hostPath.describe('Absolute path of the symbolic link.'),
  target: z.string().min(1).max(1024).describe('What it points to, absolute or relative.'),
  onRemove: z
    .enum(['Restore', 'Delete', 'Keep'])
    .default('Restore')
    .describe('When no NodeConfig wants it any more, as with files.'),
});

const dropin = z.object({
  name: z
    .string()
    .min(6)
    .max(128)
    .regex(/^[A-Za-z0-9:_.@-]+\.conf$/)
    .describe('File name; ends in .conf.'),
  contents: text(65_536).describe('What it says; ${node.name} and its like are filled in.'),
});

const unit = rule(
  z.object({
    name: unitName.describe('Name with its suffix, such as "chronyd.service".'),
    contents: text(65_536)
      .optional()
      .describe('The whole unit, in /etc/systemd/system; without it the unit is the distribution’s own.'),
    dropins: listMap(dropin, ['name'], 16).default([]).describe('Drop-ins, in name order.'),
    enabled: z.boolean().optional().describe('Whether it starts at boot; without it, as it is.'),
    state: z
      .enum(['Started', 'Stopped'])
      .optional()
      .describe('Whether it runs now; without it, as it is. A changed unit that runs is restarted.'),
    mask: z.boolean().default(false).describe('Masked: it cannot be started by anything.'),
  }),
  {
    cel: "!self.mask || (!has(self.contents) && (!has(self.dropins) || size(self.dropins) == 0) && (!has(self.enabled) || !self.enabled) && (!has(self.state) || self.state == 'Stopped'))",
    message: 'a masked unit has no contents and no drop-ins, and is neither enabled nor Started',
    test: ({ mask, contents, dropins, enabled, state }) =>
      !mask || (contents === undefined && dropins.length === 0 && enabled !== true && state !== 'Started'),
  },
);

const sysctls = rule(z.record(z.string(), z.string().max(512)).meta({ maxProperties: 128 }), {
  cel: "self.all(key, key.matches('^[a-z0-9]+([./][A-Za-z0-9_:-]+)+$') && size(key) <= 256)",
  message: 'a sysctl is named as in "net.ipv4.ip_forward"',
  test: (settings) =>
    Object.keys(settings).length <= 128 &&
    Object.keys(settings).every(
      (name) => /^[a-z0-9]+([./][A-Za-z0-9_:-]+)+$/.test(name) && name.length <= 256,
    ),
});

const kernelArgument = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\x21-\x7e]+$/);

const sshKeys = z.object({
  user: owner.describe("A user of the host; the keys join those of the user's own."),
  keys: set(
    z
      .string()
      .min(16)
      .max(8192)
      .regex(/^[\x20-\x7e]+$/),
    64,
  ).describe('Public keys, as lines of authorized_keys.'),
});

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
