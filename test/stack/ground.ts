import type { Cluster } from '#test/cluster/cluster.ts';
import type { Fleet } from '#test/machine/fleet.ts';
import type { MachineTimes } from '#test/machine/machine-options.ts';
import type { Machine } from '#test/machine/machine.ts';
import type { OsImageBuilder } from './os-images.ts';

/** `real`: systemd, kubelet and containerd on namespaces. `light`: a small kubelet of our own, as processes. */
export type NodesKind = 'real' | 'light';

/** What a stack stands on: machines, and where the operators' pods are among them. */
export interface Ground {
  readonly fleet: Fleet;
  /** The machines that the operators' pods may be on. */
  readonly hosts: readonly Machine[];
  /** Values of the chart that bring the pods to their machines. */
  readonly values: Record<string, unknown>;
  powerOn(): void;
  /** Resolves when every machine's present boot is Ready in the API. */
  ready(): Promise<void>;
  /** Host and port under which the machines reach what listens on this port of our loopback. */
  reach(port: number): Promise<string>;
  /** What a program prints that root runs on the machine; undefined where machines have no system of their own. */
  run(machine: string, argv: readonly string[]): Promise<string | undefined>;
}

export interface GroundSetup {
  cluster: Cluster;
  /** How many machines take updates. They are called machine-1, machine-2, … */
  count: number;
  /** What they run at first. */
  osImage: string;
  labels: Readonly<Record<string, string>>;
  /** How long things take on light machines. */
  times: Partial<MachineTimes> | undefined;
  /** Where the operators reach the API server, if not where it is. Light machines only. */
  podApi: { url: string; caPem: string } | undefined;
  /** The operators live on these machines. Real machines always carry them. */
  operatorsAmong: boolean;
  /** Takes what is started, to end it in the opposite order. */
  started: AsyncDisposableStack;
  progress: (line: string) => void;
}

/** One kind of ground, with all that takes long to find or make. */
export interface Terrain {
  buildOsImage: OsImageBuilder;
  /** Makes the machines, switched off. */
  lay(setup: GroundSetup): Promise<Ground>;
}

export type Survey = (options: Pick<GroundSetup, 'started' | 'progress'>) => Promise<Terrain>;
