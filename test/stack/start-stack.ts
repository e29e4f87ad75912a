import path from 'node:path';
import { stringify } from 'yaml';
import { KubeClient } from '#runtime/client/client.ts';
import { buildBundles } from '#scripts/build.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { startFaultProxy } from '#test/cluster/faults/proxy.ts';
import { createFleet, type Fleet, type FleetOptions } from '#test/machine/fleet.ts';
import type { MachineTimes } from '#test/machine/machine-options.ts';
import { startPayloadServer, type PayloadServer } from '#test/machine/payload-server.ts';
import { run } from './kubectl.ts';
import { Releases } from './releases.ts';
import { Stack } from './stack.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const POOL = { 'example.com/pool': 'workers' };

export interface StackOptions {
  machines: number;
  firstVersion: string;
  times?: Partial<MachineTimes>;
  /** Values for the chart beyond where the pods go. */
  values?: Record<string, unknown>;
  /** Put a proxy that injects faults between the operators and the API server. */
  faults?: boolean;
  /** Longest time that anything may take to come about. */
  patienceMs?: number;
  progress?: (line: string) => void;
}

/** Starts the whole stack; what was started already ends again if something of it does not start. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using starting = new AsyncDisposableStack();
  const { machines: count, times, progress: say = () => undefined } = options;
  await buildBundles();
  const cluster = await startCluster({ progress: say });
  starting.defer(() => cluster.stop());
  say(`control plane ready after ${(cluster.startedInMs / 1000).toFixed(1)} s`);
  const client = KubeClient.load({
    kubeconfig: cluster.kubeconfig,
    userAgent: 'careen test stack',
    qps: 200,
  });
  starting.defer(() => client.close());

  let payloads: PayloadServer | undefined;
  const releases = new Releases(path.join(cluster.directory, 'releases'), () => payloads?.url ?? '');
  payloads = await startPayloadServer({ directory: releases.root });
  starting.defer(() => payloads?.stop());
  const faults = options.faults === true ? await startFaultProxy(cluster) : undefined;
  starting.defer(() => faults?.close());

  const fleetOf = async (fleet: Omit<FleetOptions, 'cluster' | 'times'>): Promise<Fleet> => {
    const made = await createFleet({ cluster, times, ...fleet });
    starting.defer(() => made.delete());
    return made;
  };
  const hosts = await fleetOf({ count: 1, prefix: 'control-', role: 'control-plane', podApi: faults });
  const osImage = await releases.image(options.firstVersion);
  const fleet = await fleetOf({ count, prefix: 'machine-', labels: POOL, osImage });

  await install(cluster, options.values);
  say('careen is installed by Helm');
  hosts.powerOn();
  fleet.powerOn();
  await cluster.defaultServiceAccount();
  await Promise.all([hosts.ready(), fleet.ready()]);
  say(`${count} machines are Ready`);

  const [host] = hosts.machines;
  if (host === undefined) throw new Error('the stack has no machine for the operators');
  const patienceMs = options.patienceMs ?? 120_000;
  const started = starting.move();
  return new Stack({ cluster, client, fleet, host, releases, payloads, faults, patienceMs, started });
}

/** The operators' pods go to the host, the agents to the machines of the pool. */
async function install(cluster: Cluster, values: Record<string, unknown> | undefined): Promise<void> {
  const onHost = {
    nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
    tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
  };
  const all = { update: onHost, rebootLock: onHost, agent: { nodeSelector: POOL }, ...values };
  const { helm } = cluster.tools;
  const chart = path.join(ROOT, 'helm/careen');
  const where = ['--kubeconfig', cluster.kubeconfig, '--namespace', 'careen-system', '--create-namespace'];
  await run(helm, ['install', 'careen', chart, ...where, '--values', '-'], stringify(all));
}
