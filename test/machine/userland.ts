import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '#runtime/client/client.ts';
import type { System } from './boot.ts';
import { CONTROL_PLANE_TAINT } from './control-plane-role.ts';
import { readMachineID, writeHostRoot } from './host-root.ts';
import { addressOf } from './kubelet/address.ts';
import type { ContainerSetup } from './kubelet/container-factory.ts';
import { Kubelet } from './kubelet/kubelet.ts';
import type { NodeFacts } from './kubelet/node-object.ts';
import { DEFAULT_PROGRAMS, type MachineOptions, type MachineTimes } from './machine-options.ts';
import { REBOOT_FILE } from './reboot-request.ts';

const KERNEL = '6.12.0-careen-test';
const BACK_OFF = { firstMs: 500, maxMs: 10_000, resetMs: 30_000 };
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** A system that has come up on a machine. */
export interface Booted {
  system: System;
  bootID: string;
  /** API server as the machine reaches it. */
  apiUrl: string;
  disk: string | undefined;
  times: MachineTimes;
}

/** What runs once the kernel is up: writes the root file system and makes the kubelet, not started yet. */
export async function userland(options: MachineOptions, booted: Booted): Promise<Kubelet> {
  for (const volatile of ['run', 'pods']) {
    await rm(join(options.directory, volatile), { recursive: true, force: true });
    await mkdir(join(options.directory, volatile), { recursive: true });
  }
  const node = await nodeFacts(options, booted);
  const client = KubeClient.load({
    kubeconfig: join(options.directory, 'kubelet.kubeconfig'),
    userAgent: 'kubelet (careen test machine)',
    qps: 50,
  });
  const { leaseMs, podStartMs, maxGraceMs } = booted.times;
  return new Kubelet({
    client,
    node,
    healthy: booted.system.healthy,
    containers: containerSetup(options, booted, client),
    staticPods: options.staticPods ?? [],
    leaseMs,
    podStartMs,
    maxGraceMs,
  });
}

async function nodeFacts(options: MachineOptions, { system, bootID }: Booted): Promise<NodeFacts> {
  const root = join(options.directory, 'root');
  const machineID = (await readMachineID(root)) ?? randomUUID().replaceAll('-', '');
  const { osRelease, slot } = system;
  await writeHostRoot(root, { bootID, machineID, kernel: KERNEL, osRelease, partuuid: slot?.partuuid });
  return {
    name: options.name,
    hostIP: addressOf(options.name, 99),
    labels: { ...(options.zone !== undefined && { [ZONE_LABEL]: options.zone }), ...options.labels },
    taints: options.role === 'control-plane' ? [CONTROL_PLANE_TAINT] : [],
    bootID,
    machineID,
    kernel: KERNEL,
    osImage: /^PRETTY_NAME="(.*)"$/mu.exec(osRelease)?.[1] ?? system.version,
  };
}

function containerSetup(options: MachineOptions, booted: Booted, client: KubeClient): ContainerSetup {
  return {
    client,
    endpoint: options.podApi ?? { url: booted.apiUrl, caPem: options.cluster.caPem },
    programs: options.programs ?? DEFAULT_PROGRAMS,
    extraArgs: (program) => (program === 'agent' ? agentArgs(options.directory, booted.disk) : []),
    bootID: booted.bootID,
    podsDirectory: join(options.directory, 'pods'),
    logsDirectory: join(options.directory, 'logs'),
    stopMs: booted.times.podStopMs,
    probeMs: booted.times.probeMs,
    backOff: options.backOff ?? BACK_OFF,
    within: options.within,
  };
}

/** Where the agent finds on this computer what is a host path on a real node. */
function agentArgs(directory: string, disk: string | undefined): string[] {
  const root = join(directory, 'root');
  const reboot = ['touch', join(directory, 'run', REBOOT_FILE)];
  const args = ['--host-root', root, '--reboot-command', JSON.stringify(reboot)];
  if (disk !== undefined) args.push('--disk', disk);
  return [...args, '--command-prefix', JSON.stringify(['env', '-C', root])];
}
