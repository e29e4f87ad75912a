import { z } from 'zod';
import { fileMode, hostPath, owner, unitName } from './config-fields.ts';
import { listMap, objectName, rule, set } from './fields.ts';

/** What a NodeConfig puts on a node: files, directories, links, units, settings, keys. */

/** Text that may hold `${node.name}` and its like; see docs/node-config.md for the closed set. */
export const text = (max: number) => z.string().max(max);

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

/** A regular file: what it holds, whose it is, and what becomes of it. */
export const file = rule(
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

/** A directory. */
export const directory = z.object({
  path: hostPath.describe('Absolute path on the host, without "." or "..".'),
  mode: fileMode.default('0755').describe('Permissions in octal.'),
  user: owner.default('root').describe("Owner: a name in the host's own passwd, or a number."),
  group: owner.default('root').describe("Group: a name in the host's own group file, or a number."),
  onRemove: z
    .enum(['Delete', 'Keep'])
    .default('Delete')
    .describe('When no NodeConfig wants it any more. Delete: if careen made it and it is empty.'),
});

/** A symbolic link. */
export const link = z.object({
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

/** A systemd unit. */
export const unit = rule(
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

/** Kernel settings by name. */
export const sysctls = rule(z.record(z.string(), z.string().max(512)).meta({ maxProperties: 128 }), {
  cel: "self.all(key, key.matches('^[a-z0-9]+([./][A-Za-z0-9_:-]+)+$') && size(key) <= 256)",
  message: 'a sysctl is named as in "net.ipv4.ip_forward"',
  test: (settings) =>
    Object.keys(settings).length <= 128 &&
    Object.keys(settings).every(
      (name) => /^[a-z0-9]+([./][A-Za-z0-9_:-]+)+$/.test(name) && name.length <= 256,
    ),
});

/** One word of the kernel command line. */
export const kernelArgument = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\x21-\x7e]+$/);

/** Who may log in as a user of the host. */
export const sshKeys = z.object({
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
