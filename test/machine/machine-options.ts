import type { Cluster } from '#test/cluster/cluster.ts';
import type { GuardedCleanup } from '#test/cluster/guardian.ts';
import type { BackOff } from './kubelet/back-off.ts';
import type { StaticPod } from './kubelet/mirror-pod.ts';
import type { Programs } from './kubelet/program.ts';

/** How long things take on a machine, in milliseconds. */
export interface MachineTimes {
  /** From the bootloader to the kubelet's start. */
  bootMs: number;
  /** Least time of an orderly shutdown; processes have as long to end by themselves. */
  shutdownMs: number;
  /** From a kernel that cannot be loaded to the reset. */
  resetMs: number;
  /** From a hang to the watchdog's reset. */
  watchdogMs: number;
  /** Between two renewals of the node's Lease. */
  leaseMs: number;
  /** From a pod's arrival to the start of its containers. */
  podStartMs: number;
  /** How long a simulated container takes to end. */
  podStopMs: number;
  /** Most that a pod's grace period lasts, whatever the pod asks for. */
  maxGraceMs: number;
  /** Between two readiness probes of a process that is not ready yet. */
  probeMs: number;
}

export const DEFAULT_TIMES: MachineTimes = {
  bootMs: 300,
  shutdownMs: 300,
  resetMs: 200,
  watchdogMs: 1000,
  leaseMs: 5000,
  podStartMs: 150,
  podStopMs: 100,
  maxGraceMs: 5000,
  probeMs: 200,
};

export interface MachineOptions {
  cluster: Pick<Cluster, 'url' | 'caPem' | 'kubeconfig' | 'issueClientCert'>;
  name: string;
  /** Where the machine lives; made if it does not exist, removed by `delete`. */
  directory: string;
  /** Image that USR-A starts with. Absent: a machine without OS slots. */
  osImage?: string | undefined;
  usrMiB?: number | undefined;
  /** `control-plane`: the label and the NoSchedule taint that kubeadm gives. */
  role?: 'worker' | 'control-plane' | undefined;
  zone?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  times?: Partial<MachineTimes> | undefined;
  backOff?: BackOff | undefined;
  /** Programs that containers really run, by name; careen's bundles in `dist/` unless told. */
  programs?: Programs | undefined;
  staticPods?: readonly StaticPod[] | undefined;
  /** Where pods reach the API server; the cluster's own address unless told. */
  podApi?: { url: string; caPem: string } | undefined;
  /** Cleaning that must wait until the machine's processes are gone. */
  within?: GuardedCleanup | undefined;
}

const DIST = new URL('../../dist/', import.meta.url).pathname;

/** The bundles that the images carry as `/app/<name>.mjs`. */
export const DEFAULT_PROGRAMS: Programs = Object.fromEntries(
  ['agent', 'update', 'reboot-lock', 'node-config', 'check'].map((name) => [name, `${DIST}${name}.mjs`]),
);
