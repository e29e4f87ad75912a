import { z } from 'zod';
import { duration, rule, shortName } from './fields.ts';
import { hostChecks } from './health.ts';

/** Fields of a machine's configuration, as `NodeConfig` and the document that reaches the agent share them. */

/**
 * An absolute, normalised path: no empty, "." or ".." component, no trailing slash, printable ASCII only, so
 * that nothing looks like what it is not.
 */
export const HOST_PATH = /^(\/([ -\-0-~][ -.0-~]*|\.[ -\-0-~][ -.0-~]*|\.\.[ -.0-~]+))+$/;

export const hostPath = z.string().min(2).max(1024).regex(HOST_PATH);

/** Permissions in octal, three or four digits ("644", "0644"). */
export const fileMode = z
  .string()
  .min(3)
  .max(4)
  .regex(/^[0-7]{3,4}$/);

/** A name of passwd or group (shadow-utils' rules), or a number. */
export const owner = z
  .string()
  .min(1)
  .max(32)
  .regex(/^([a-z_][a-z0-9_-]*\$?|[0-9]+)$/);

/** A unit's name with a suffix that systemd knows; a template's instance may be given. */
export const unitName = z
  .string()
  .min(5)
  .max(255)
  .regex(
    /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]*)?\.(service|socket|timer|mount|automount|swap|target|path|slice)$/,
  );

export const ACTIONS = ['None', 'DaemonReload', 'Reload', 'Restart', 'Drain', 'Reboot'] as const;
export type DisruptionAction = (typeof ACTIONS)[number];

const match = rule(
  z.object({
    path: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^\//)
      .optional()
      .describe('A path; one that ends in a slash stands for all below it.'),
    unit: unitName.optional().describe('A unit.'),
    setting: z
      .enum(['sysctls', 'kernelModules', 'kernelArguments', 'sshAuthorizedKeys', 'hostname', 'timezone'])
      .optional()
      .describe('A section of the config.'),
  }),
  {
    cel: '(has(self.path) ? 1 : 0) + (has(self.unit) ? 1 : 0) + (has(self.setting) ? 1 : 0) == 1',
    message: 'match exactly one of path, unit or setting',
    test: ({ path, unit, setting }) => [path, unit, setting].filter((one) => one !== undefined).length === 1,
  },
);

export const disruptionRule = rule(
  z.object({
    match: match.describe('What has changed.'),
    action: z
      .enum(ACTIONS)
      .describe(
        'What follows. Drain: the node is drained before the change, and serves again after it. A changed unit file always brings a daemon-reload.',
      ),
    unit: unitName
      .optional()
      .describe('The unit to reload or restart; with Drain the one that is restarted while no pods run.'),
  }),
  {
    cel: "has(self.unit) ? self.action in ['Reload', 'Restart', 'Drain'] : !(self.action in ['Reload', 'Restart'])",
    message: 'Reload and Restart name a unit, Drain may; other actions do not',
    test: ({ action, unit }) =>
      unit === undefined
        ? !['Reload', 'Restart'].includes(action)
        : ['Reload', 'Restart', 'Drain'].includes(action),
  },
);
export type DisruptionRule = z.infer<typeof disruptionRule>;

const KINDS = ['nodeReady', 'http', 'command', 'unit', 'defaultGateway', 'dns', 'apiServer'] as const;

export const configProbe = rule(
  z.object({
    name: shortName.describe('Name of the probe, shown in status.'),
    ...hostChecks,
    unit: z
      .object({ name: unitName.describe('The unit.') })
      .optional()
      .describe('A unit is active and has not been restarted since the change.'),
    defaultGateway: z
      .object({})
      .optional()
      .describe('The default gateway answers (ARP or neighbour discovery).'),
    dns: z
      .object({ name: z.string().min(1).max(253).describe('A name that must resolve.') })
      .optional()
      .describe('A name resolves.'),
    apiServer: z.object({}).optional().describe('The API server answers over a new connection.'),
    timeout: duration.default('10s').describe('How long one attempt may take.'),
  }),
  {
    cel: KINDS.map((kind) => `(has(self.${kind}) ? 1 : 0)`).join(' + ') + ' == 1',
    message: `give exactly one of ${KINDS.slice(0, -1).join(', ')} or ${KINDS.at(-1) ?? ''}`,
    test: (probe) => KINDS.filter((kind) => probe[kind] !== undefined).length === 1,
  },
);
export type ConfigProbe = z.infer<typeof configProbe>;
