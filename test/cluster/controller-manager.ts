import path from 'node:path';
import { startComponent, type Component } from './component.ts';
import type { GuardedDirectory } from './guardian.ts';

/** kube-controller-manager with all its default controllers, quicker than usual where tests wait for it. */
export async function startControllerManager(
  directory: GuardedDirectory,
  binary: string,
  kubeconfig: string,
): Promise<Component> {
  const file = (name: string) => path.join(directory.path, name);
  return startComponent(directory, binary, [
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0', // nobody asks it anything: no port is needed
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${file('service-account.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    '--controllers=*',
    // A node is lost after 20 s instead of 50: still longer than the 10 s between renewals of its lease.
    '--node-monitor-grace-period=20s',
    '--node-monitor-period=2s',
    '--terminated-pod-gc-threshold=100',
    // The client-side limits of a production default (20/s) would be the slowest part of a test.
    '--kube-api-qps=300',
    '--kube-api-burst=600',
  ]);
}
