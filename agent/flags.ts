import { join } from 'node:path';
import { z } from 'zod';
import type { Flags, FlagValues } from '#runtime/flags/flags.ts';
import { addressFlag, argvFlag, switchFlag } from '#runtime/flags/types.ts';
import { programFlags } from '#runtime/operator/common-flags.ts';

export const AGENT_FLAGS = {
  ...programFlags,
  nodeName: {
    schema: z.string().min(1),
    value: 'NAME',
    env: 'NODE_NAME',
    help: 'the Node that this agent runs on',
  },
  hostRoot: { schema: z.string(), value: 'PATH', default: '/host', help: "the host's root directory" },
  stateDir: {
    schema: z.string().optional(),
    value: 'PATH',
    help: 'where the agent keeps its record; <host-root>/var/lib/careen if not given',
  },
  disk: {
    schema: z.string().optional(),
    value: 'PATH',
    help: 'disk or image file that holds the slots; found from the kernel command line if not given',
  },
  nodeConfig: {
    schema: switchFlag,
    default: 'false',
    help: 'look after the configuration of the host as well, as NodeConfigs want it',
  },
  rebootCommand: {
    schema: argvFlag.optional(),
    value: 'JSON',
    help: 'command that reboots the machine, such as ["reboot"]; logind or systemd is asked if not given',
  },
  commandPrefix: {
    schema: argvFlag.optional(),
    value: 'JSON',
    help: "put before every health command; each runs as a unit of the host's systemd if not given",
  },
  address: {
    schema: addressFlag,
    value: 'ADDRESS',
    default: '127.0.0.1:0',
    help: 'where /healthz is served; port 0 takes any free one',
  },
} satisfies Flags;

export type AgentOptions = FlagValues<typeof AGENT_FLAGS>;

/** Where the record and the staging journal are. */
export function stateDirOf({ stateDir, hostRoot }: AgentOptions): string {
  return stateDir ?? join(hostRoot, 'var/lib/careen');
}
