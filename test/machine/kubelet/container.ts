import type { StateOfContainer } from './pod.ts';

/** A container as its pod's status shows it. */
export interface ContainerView {
  name: string;
  image: string;
  /** Differs for each start, on each boot. */
  id: string | undefined;
  ready: boolean;
  restarts: number;
  state: StateOfContainer;
  last: StateOfContainer;
}

/** Something that runs as a container of a pod; it tells its pod when its view has changed. */
export interface Container {
  readonly name: string;
  /** Of the process, while one runs. */
  readonly pid: number | undefined;
  view(): ContainerView;
  start(): void;
  /** Asks it to end, and kills it after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** What a container takes over from the last boot of its machine. */
export interface ContainerHistory {
  restarts: number;
  last: StateOfContainer;
}

/** All containers of one pod. */
export interface PodContainers {
  containers: Container[];
  /** Takes away what the containers had on disk. */
  remove: () => Promise<void>;
}
