import { z } from 'zod';
import type { Flags } from '#runtime/flags/flags.ts';
import { addressFlag, countFlag, durationFlag } from '#runtime/flags/types.ts';
import { parseNetworks } from './serve/client-address.ts';

const networksFlag = z.string().transform((text, context) => {
  try {
    return parseNetworks(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

/** Flags of the Omaha endpoint. */
export const omahaFlags = {
  omahaAddress: {
    schema: addressFlag.optional(),
    value: 'ADDRESS',
    help: 'Answer machines over Omaha here, such as :8085; without it not at all.',
  },
  omahaFile: {
    schema: z.string().min(1).optional(),
    value: 'PATH',
    help: 'File in which machines are kept; one replica only.',
  },
  omahaDatabase: {
    schema: z.string().min(1).optional(),
    value: 'URLS',
    env: 'OMAHA_DATABASE',
    help: 'PostgreSQL in which machines are kept, for several replicas; servers separated by commas.',
  },
  omahaSecret: {
    schema: z.string().min(1).optional(),
    value: 'TEXT',
    env: 'OMAHA_SECRET',
    help: 'Last part of the path, /v1/update/SECRET, without which nothing is answered.',
  },
  omahaTrustedProxies: {
    schema: networksFlag,
    value: 'NETWORKS',
    default: '',
    help: 'Proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; separated by commas.',
  },
  omahaAddressRate: {
    schema: countFlag,
    value: 'N',
    default: '50',
    help: 'Requests a second of one address, in the long run; 0: no limit.',
  },
  omahaMachineRate: {
    schema: countFlag,
    value: 'N',
    default: '20',
    help: 'Requests a minute of one machine; 0: no limit.',
  },
  omahaSilentAfter: {
    schema: durationFlag,
    value: 'TIME',
    default: '168h',
    help: 'A machine not heard of for so long is archived, and has failed where a rollout waits for it.',
  },
  omahaForgetAfter: {
    schema: durationFlag,
    value: 'TIME',
    default: '2160h',
    help: 'An archived machine not heard of for so long is forgotten.',
  },
  omahaKeepHistory: {
    schema: durationFlag,
    value: 'TIME',
    default: '720h',
    help: 'How long the history of machines is kept.',
  },
} satisfies Flags;

export type OmahaFlags = typeof omahaFlags;
