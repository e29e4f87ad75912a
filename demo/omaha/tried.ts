import type { Machine, Turn } from '#test/omaha/fleet/machine.ts';
import type { Happening } from '#test/omaha/client/update-engine.ts';

/** Which machines have tried which version, and how many answers they got: their own book, since the last `reset`. */
export class Tried {
  readonly fellBack = new Set<string>();
  /** Machines that began to download something. */
  readonly began = new Set<string>();
  checks = 0;
  noUpdate = 0;
  readonly #underWay = new Set<string>();
  worstUnderWay = 0;

  get underWay(): number {
    return this.#underWay.size;
  }

  reset(): void {
    this.fellBack.clear();
    this.began.clear();
    this.checks = this.noUpdate = 0;
    this.worstUnderWay = this.#underWay.size;
  }

  hear({ machineID }: Pick<Machine, 'machineID'>, { kind }: Happening | Turn): void {
    if (kind === 'checking') this.checks += 1;
    else if (kind === 'no-update') this.noUpdate += 1;
    else if (kind === 'offered') this.#begins(machineID);
    else if (kind === 'downloading') this.began.add(machineID);
    else if (ENDS.includes(kind)) this.#underWay.delete(machineID);
    if (kind === 'fell-back') this.fellBack.add(machineID);
  }

  #begins(machineID: string): void {
    this.#underWay.add(machineID);
    this.worstUnderWay = Math.max(this.worstUnderWay, this.#underWay.size);
  }
}

const ENDS: readonly string[] = ['failed', 'deferred', 'booted', 'fell-back', 'vanished', 'restarted'];
