import path from 'node:path';
import { startComponent, type Component } from './component.ts';
import type { GuardedDirectory } from './guardian.ts';

/**
 * etcd with one member, on a Unix socket in the cluster's directory, which only its owner can enter: no port is
 * needed and no certificate. Nothing survives the test, so nothing is synced to the disk.
 */
export async function startEtcd(
  directory: GuardedDirectory,
  binary: string,
): Promise<{ component: Component; url: string }> {
  const url = `unix://${path.join(directory.path, 'etcd.sock')}`;
  // etcd insists that it is known by a host and a port; nobody listens there and nobody calls.
  const known = 'http://127.0.0.1:2379';
  const component = await startComponent(directory, binary, [
    '--name=etcd',
    `--data-dir=${path.join(directory.path, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${known}`,
    `--listen-peer-urls=unix://${path.join(directory.path, 'peer.sock')}`,
    `--initial-advertise-peer-urls=${known}`,
    `--initial-cluster=etcd=${known}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
  return { component, url };
}
