import type { Container, ContainerHistory, ContainerView } from './container.ts';
import type { StateOfContainer } from './pod.ts';

export interface SimulatedContainerOptions {
  name: string;
  image: string;
  id: string;
  history: ContainerHistory;
  /** Ends by itself with this status soon after its start. Undefined: runs for ever. */
  exitCode: number | undefined;
  /** How long it takes to end when it is asked to. */
  stopMs: number;
  onChange: () => void;
}

/** A container that only says that it runs. */
export class SimulatedContainer implements Container {
  readonly name: string;
  readonly pid = undefined;
  readonly #options: SimulatedContainerOptions;
  #state: StateOfContainer = { waiting: { reason: 'ContainerCreating' } };

  constructor(options: SimulatedContainerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  view(): ContainerView {
    const { name, image, id, history } = this.#options;
    const ready = this.#state.running !== undefined;
    return {
      name,
      image,
      id: this.#state.waiting ? undefined : id,
      ready,
      restarts: history.restarts,
      state: this.#state,
      last: history.last,
    };
  }

  start(): void {
    const startedAt = timestamp();
    this.#set({ running: { startedAt } });
    if (this.#options.exitCode !== undefined) setTimeout(() => this.#exit(startedAt), 50).unref();
  }

  async stop(graceMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.min(graceMs, this.#options.stopMs)));
  }

  async kill(): Promise<void> {}

  signal(): void {}

  #exit(startedAt: string): void {
    const exitCode = this.#options.exitCode ?? 0;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    this.#set({ terminated: { exitCode, reason, startedAt, finishedAt: timestamp() } });
  }

  #set(state: StateOfContainer): void {
    this.#state = state;
    this.#options.onChange();
  }
}

/** Now, as the API writes times. */
export function timestamp(now = Date.now()): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/u, 'Z');
}
