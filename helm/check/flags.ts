import { z } from 'zod';
import type { Flags } from '#runtime/flags/flags.ts';
import { durationFlag, switchFlag } from '#runtime/flags/types.ts';

export const CHECK_FLAGS = {
  kubeconfig: {
    schema: z.string().optional(),
    value: 'PATH',
    help: "Kubeconfig; without it the pod's own service account.",
  },
  namespace: {
    schema: z.string().min(1),
    value: 'NAME',
    env: 'POD_NAMESPACE',
    help: 'Namespace of the release.',
  },
  agentNamespace: {
    schema: z.string().min(1),
    value: 'NAME',
    default: 'careen-agent',
    help: 'Namespace of the agents.',
  },
  nodeConfig: {
    schema: switchFlag,
    default: 'false',
    help: 'The release has the operator of NodeConfigs as well.',
  },
  mirror: { schema: switchFlag, default: 'false', help: 'The release has a mirror as well.' },
  omaha: { schema: switchFlag, default: 'false', help: 'The release answers over Omaha as well.' },
  timeout: {
    schema: durationFlag,
    value: 'TIME',
    default: '60s',
    help: 'How long a check may take to become well.',
  },
  dial: {
    schema: switchFlag,
    default: 'true',
    help: 'Ask every replica over the pod network as well; --no-dial asks only the API server.',
  },
} satisfies Flags;
