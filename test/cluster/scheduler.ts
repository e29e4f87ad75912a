import { startComponent, type Component } from './component.ts';
import type { GuardedDirectory } from './guardian.ts';

/** kube-scheduler with its default profile. */
export async function startScheduler(
  directory: GuardedDirectory,
  binary: string,
  kubeconfig: string,
): Promise<Component> {
  return startComponent(directory, binary, [
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0', // nobody asks it anything: no port is needed
    '--leader-elect=false',
    '--kube-api-qps=300',
    '--kube-api-burst=600',
  ]);
}
