import { z } from 'zod';
import type { Flags, FlagValues } from '#runtime/flags/flags.ts';
import { countFlag, durationFlag, switchFlag } from '#runtime/flags/types.ts';
import { dialects } from '../wire/request.ts';
import { FLATCAR_APP, type FleetOptions } from './fleet.ts';

const share = z
  .string()
  .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'write a share from 0 to 1, such as 0.05')
  .transform(Number);
const list = z.string().transform((text) => text.split(',').filter((part) => part !== ''));
const factor = z
  .string()
  .regex(/^[1-9]\d*(\.\d+)?$/, 'write a number from 1 on')
  .transform(Number);

/** What `careen-fleet-sim` can be told. */
export const fleetFlags = {
  url: {
    schema: z.url({ protocol: /^https?$/ }),
    value: 'URL',
    help: 'Omaha endpoint to poll, such as http://host/v1/update/.',
  },
  machines: { schema: countFlag, value: 'N', default: '10', help: 'How many machines.' },
  speed: {
    schema: factor,
    value: 'X',
    default: '1',
    help: 'Machine time runs X times as fast: at 600, a check each 4.5 s.',
  },
  seed: {
    schema: z.string(),
    value: 'TEXT',
    default: 'careen',
    help: 'Fixes machine ids, timing and fates.',
  },
  duration: { schema: durationFlag, value: 'TIME', default: '24h', help: 'End after this time, of ours.' },
  until: {
    schema: z.string().optional(),
    value: 'VERSION',
    help: 'End when every machine runs VERSION; exit status 1 if the time is over before.',
  },
  version: { schema: z.string(), value: 'VERSION', default: '1.0.0', help: 'What machines run at first.' },
  track: {
    schema: z.string(),
    value: 'NAME',
    default: 'stable',
    help: 'Channel or group that they ask for.',
  },
  appId: { schema: z.string(), value: 'UUID', default: FLATCAR_APP, help: 'Application.' },
  board: {
    schema: z.enum(['amd64-usr', 'arm64-usr']),
    value: 'NAME',
    default: 'amd64-usr',
    help: 'amd64-usr or arm64-usr.',
  },
  oem: { schema: z.string(), value: 'NAME', default: '', help: 'OEM.' },
  alias: {
    schema: z.string(),
    value: 'NAME',
    default: '',
    help: 'Machine alias; machines are NAME-0, NAME-1 and so on.',
  },
  dialect: {
    schema: z.enum(dialects),
    value: 'NAME',
    default: 'update_engine',
    help: `Whose requests: ${dialects.join(', ')}.`,
  },
  failureRate: {
    schema: share,
    value: 'SHARE',
    default: '0',
    help: 'Updates that cannot be installed (error 5).',
  },
  fallbackRate: {
    schema: share,
    value: 'SHARE',
    default: '0',
    help: 'Updates that do not boot, so that the old slot comes up (error 44).',
  },
  restartRate: { schema: share, value: 'SHARE', default: '0', help: 'Machines that restart in a download.' },
  vanishRate: { schema: share, value: 'SHARE', default: '0', help: 'Machines that vanish in a download.' },
  badVersions: { schema: list, value: 'A,B', default: '', help: 'Versions that boot on no machine.' },
  rebootDelay: {
    schema: durationFlag,
    value: 'TIME',
    default: '5m',
    help: 'From the install to the reboot, in machine time.',
  },
  download: {
    schema: switchFlag,
    default: 'true',
    help: 'Fetch payloads and check them; --no-download trusts.',
  },
  addresses: {
    schema: switchFlag,
    default: 'false',
    help: 'Send an X-Forwarded-For of its own for each machine.',
  },
  connections: { schema: countFlag, value: 'N', default: '256', help: 'Connections to the server at once.' },
  every: { schema: durationFlag, value: 'TIME', default: '10s', help: 'Report so often.' },
  output: {
    schema: z.enum(['table', 'json']),
    value: 'FORM',
    default: 'table',
    help: 'Reports as a table or as one line of JSON each.',
  },
} satisfies Flags;

/** The fleet that the flags describe. */
export function fleetOptions(values: FlagValues<typeof fleetFlags>): FleetOptions {
  const { url, machines, speed, seed, dialect, download, addresses, connections } = values;
  const { version, track, appId: appID, board, oem, alias: machineAlias } = values;
  const { failureRate, fallbackRate, restartRate, vanishRate, badVersions } = values;
  return {
    url,
    machines,
    speed,
    seed,
    dialect,
    download,
    addresses,
    connections,
    identity: { version, track, appID, board, oem, machineAlias },
    fortunes: { failureRate, fallbackRate, restartRate, vanishRate, badVersions },
    reboot: { delayMs: values.rebootDelay },
  };
}
