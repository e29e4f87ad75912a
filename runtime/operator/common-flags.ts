import { hostname } from 'node:os';
import { z } from 'zod';
import type { Flags } from '../flags/flags.ts';
import { addressFlag, durationFlag, logLevelFlag } from '../flags/types.ts';

/** What every careen program takes. */
export const programFlags = {
  kubeconfig: {
    schema: z.string().optional(),
    value: 'PATH',
    help: "Kubeconfig; without it the pod's own service account.",
  },
  logLevel: { schema: logLevelFlag, value: 'LEVEL', default: 'info', help: 'error, warn, info or debug.' },
} satisfies Flags;

/** What every operator takes. */
export const operatorFlags = {
  ...programFlags,
  namespace: {
    schema: z.string().min(1),
    value: 'NAME',
    env: 'POD_NAMESPACE',
    help: 'Namespace of the leader election Lease.',
  },
  identity: {
    schema: z.string().min(1),
    value: 'NAME',
    env: 'POD_NAME',
    default: hostname(),
    help: 'Name of this candidate in the leader election.',
  },
  address: {
    schema: addressFlag,
    value: 'ADDRESS',
    default: ':8080',
    help: 'Health and metrics; port 0: any free one.',
  },
  leaseDuration: {
    schema: durationFlag,
    value: 'TIME',
    default: '15s',
    help: 'How long a silent leader keeps its place.',
  },
  renewDeadline: {
    schema: durationFlag,
    value: 'TIME',
    default: '10s',
    help: 'How long a leader acts without renewing.',
  },
  retryPeriod: {
    schema: durationFlag,
    value: 'TIME',
    default: '2s',
    help: 'Time between attempts to lead or renew.',
  },
} satisfies Flags;
