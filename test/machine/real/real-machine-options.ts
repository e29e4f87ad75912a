import type { Cluster } from '#test/cluster/cluster.ts';
import type { GuardedCleanup } from '#test/cluster/guardian.ts';
import type { NodeNetwork } from './network.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { NodeParts } from './node-parts.ts';

/** How long a real machine takes where it does not depend on what it runs, in milliseconds. */
export interface RealMachineTimes {
  /** From a kernel that cannot be loaded, or a panic, to the reset. */
  resetMs: number;
  /** From the start of the slot's init to the reset by the watchdog, unless it has taken over as PID 1 by then. */
  watchdogMs: number;
}

export const DEFAULT_REAL_TIMES: RealMachineTimes = { resetMs: 200, watchdogMs: 60_000 };

/** What a machine is, apart from where it stands. */
export interface RealMachineKind {
  cluster: Pick<Cluster, 'caPem' | 'kubeconfig' | 'issueClientCert' | 'issueServerCert'>;
  /** Image that USR-A starts with. */
  osImage: string;
  /** Size of each USR slot; 128 unless told. */
  usrMiB?: number | undefined;
  /** Size of ROOT, with /etc and /var; 3072 unless told, of which little is used on disk. */
  rootMiB?: number | undefined;
  /** `control-plane`: the label and the NoSchedule taint that kubeadm gives. */
  role?: 'worker' | 'control-plane' | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  /** How long the kubelet gives pods to end when the node goes down in order; it does not look after them unless told. */
  shutdownGraceSeconds?: number | undefined;
  times?: Partial<RealMachineTimes> | undefined;
}

export interface RealMachineOptions extends RealMachineKind {
  identity: NodeIdentity;
  directory: string;
  zone: string | undefined;
  parts: NodeParts;
  /** Directory with the image archives of `parts`. */
  imagesDirectory: string;
  network: NodeNetwork;
  /** The name of the machine's control groups. */
  group: string;
  /** File that lists the loop devices of the fleet. */
  ledger: string;
  within: GuardedCleanup;
}
