import { join } from 'node:path';
import type { KubeClient } from '#runtime/client/client.ts';
import type { GuardedCleanup } from '#test/cluster/guardian.ts';
import type { BackOff } from './back-off.ts';
import type { Container, ContainerHistory, PodContainers } from './container.ts';
import { environment, expand } from './environment.ts';
import { PodCredentials, type ApiEndpoint } from './pod-credentials.ts';
import type { KubeletPod, PodContainer } from './pod.ts';
import { isProcessReady } from './probe.ts';
import { ProcessContainer, type CommandLine } from './process-container.ts';
import { programOf, type Programs } from './program.ts';
import { SimulatedContainer } from './simulated-container.ts';

/** Annotation of a pod whose simulated containers end by themselves with this exit status. */
export const EXIT_ANNOTATION = 'machine.careen.test/exit-code';

export interface ContainerSetup {
  client: KubeClient;
  endpoint: ApiEndpoint;
  programs: Programs;
  /** Arguments added for a program, after those of the pod's spec: what this machine has elsewhere. */
  extraArgs: (program: string) => string[];
  bootID: string;
  /** Where pods keep their files until the next boot, and where logs go. */
  podsDirectory: string;
  logsDirectory: string;
  stopMs: number;
  probeMs: number;
  backOff: BackOff;
  within: GuardedCleanup | undefined;
}

/** The containers of a pod: processes for careen's own programs, simulated ones for the rest. */
export function makeContainers(
  pod: KubeletPod,
  setup: ContainerSetup,
  facts: { hostIP: string; podIP: string },
  onChange: () => void,
): PodContainers {
  const directory = join(setup.podsDirectory, pod.metadata.uid ?? pod.metadata.name);
  const credentials = new PodCredentials(pod, setup.client, setup.endpoint, directory);
  const containers = pod.spec.containers.map((container) => {
    const program = programOf(container);
    const file = program === undefined ? undefined : setup.programs[program.name];
    const common = commonOptions(pod, container, setup, onChange);
    if (program === undefined || file === undefined) return simulated(pod, setup, common);
    return new ProcessContainer({
      ...common,
      restartPolicy: pod.spec.restartPolicy ?? 'Always',
      commandLine: async (signal) => {
        await credentials.ready(signal);
        const extra = ['--kubeconfig', credentials.kubeconfigFile, ...setup.extraArgs(program.name)];
        return commandLine(
          [...program.nodeFlags, file],
          container,
          environment(pod, container, facts),
          extra,
        );
      },
      probe: (pid) => isProcessReady(container, pid),
      probeMs: setup.probeMs,
      backOff: setup.backOff,
      logFile: join(setup.logsDirectory, logName(pod, container)),
      within: setup.within,
    });
  });
  return { containers, remove: () => credentials.remove() };
}

function commonOptions(
  pod: KubeletPod,
  container: PodContainer,
  setup: ContainerSetup,
  onChange: () => void,
) {
  return {
    name: container.name,
    image: container.image,
    id: `simulated://${setup.bootID}/${pod.metadata.uid}/${container.name}`,
    history: history(pod, container.name, setup.bootID),
    onChange,
  };
}

function simulated(
  pod: KubeletPod,
  setup: ContainerSetup,
  common: ReturnType<typeof commonOptions>,
): Container {
  const exit = pod.metadata.annotations?.[EXIT_ANNOTATION];
  const exitCode = exit === undefined ? undefined : Number(exit);
  return new SimulatedContainer({ ...common, exitCode, stopMs: setup.stopMs });
}

/** A container that ran in an earlier boot is restarted, not new. */
function history(pod: KubeletPod, name: string, bootID: string): ContainerHistory {
  const old = pod.status?.containerStatuses?.find((status) => status.name === name);
  if (old?.containerID === undefined || old.containerID.includes(bootID)) return { restarts: 0, last: {} };
  const startedAt = old.state.running?.startedAt;
  if (startedAt === undefined) return { restarts: old.restartCount + 1, last: old.state };
  const finished = { exitCode: 255, reason: 'Unknown', startedAt, finishedAt: startedAt };
  return { restarts: old.restartCount + 1, last: { terminated: finished } };
}

function commandLine(
  program: readonly string[],
  container: PodContainer,
  env: Record<string, string>,
  extra: string[],
): CommandLine {
  const args = (container.args ?? []).map((arg) => expand(arg, env));
  // All machines share one network: what listens takes any free port instead of the one of its spec.
  const listens = args.some((arg) => arg.startsWith('--address'));
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  return {
    command: process.execPath,
    args: [...program, ...args, ...extra, ...(listens ? ['--address', '127.0.0.1:0'] : [])],
    env: { PATH: path, ...env },
  };
}

function logName(pod: KubeletPod, container: PodContainer): string {
  return `${pod.metadata.namespace}_${pod.metadata.name}_${container.name}.log`;
}
