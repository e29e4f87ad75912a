import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { KubeClient } from '#runtime/client/client.ts';
import { pluginCredentials } from '#runtime/client/plugin-credentials.ts';
import { FlagError, type Flags, type FlagValues } from '#runtime/flags/flags.ts';

/** Which cluster is asked, as kubectl has it. */
export const accessFlags = {
  kubeconfig: {
    schema: z.string().min(1),
    value: 'PATH',
    env: 'KUBECONFIG',
    default: join(homedir(), '.kube', 'config'),
    help: 'Kubeconfig; its current context is used.',
  },
} satisfies Flags;

/** The cluster, asked for the first time when something is read. */
export interface ClusterAccess {
  readonly client: KubeClient;
  close(): Promise<void>;
}

export function openCluster({ kubeconfig }: FlagValues<typeof accessFlags>): ClusterAccess {
  let client: KubeClient | undefined;
  return {
    get client() {
      return (client ??= load(kubeconfig));
    },
    close: async () => client?.close(),
  };
}

function load(kubeconfig: string): KubeClient {
  if (kubeconfig.includes(delimiter))
    throw new FlagError('usage', `KUBECONFIG names several files; give one with --kubeconfig`);
  try {
    return KubeClient.load({ kubeconfig, plugins: pluginCredentials, userAgent: 'kubectl-careen', qps: 50 });
  } catch (error) {
    throw new FlagError(
      'usage',
      `cannot read ${kubeconfig} (${(error as Error).message}); give --kubeconfig`,
    );
  }
}
