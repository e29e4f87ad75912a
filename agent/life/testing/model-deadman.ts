import type { TrialBoot } from '../../boot/host.ts';

/** The host's deadman, in memory. */
export class ModelDeadman {
  #trial: TrialBoot | undefined;
  #left: number | undefined;

  /** How often it may still fire; undefined while it is not armed. */
  get left(): number | undefined {
    return this.#left;
  }

  arm(trial: TrialBoot): void {
    this.#trial = trial;
    this.#left = trial.tries;
  }

  disarm(): void {
    this.#trial = undefined;
    this.#left = undefined;
  }

  /** Whether it would end a boot of that slot. */
  watches(partUUID: string): boolean {
    return this.#trial?.partUUID === partUUID && (this.#left ?? 0) > 0;
  }

  /** That slot runs unjudged: when it fires, in ms after the boot; undefined if it does not. */
  fire(partUUID: string): number | undefined {
    if (!this.watches(partUUID) || this.#trial === undefined) return undefined;
    this.#left = (this.#left ?? 0) - 1;
    return this.#trial.judgedMs;
  }
}
