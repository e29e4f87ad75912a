import type { Ledger } from '#test/observer/ledger.ts';
import type { Machine, Turn } from '#test/omaha/fleet/machine.ts';
import type { Happening } from '#test/omaha/client/update-engine.ts';

const DOWN: readonly string[] = ['rebooting', 'vanished'];
const UP: readonly string[] = ['booted', 'fell-back', 'restarted'];

/** Enters machines into the book in which the observer keeps nodes, by what they themselves say of their power. */
export class AwayMachines {
  readonly #ledger: Ledger;
  readonly #down = new Set<string>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get count(): number {
    return this.#down.size;
  }

  hear({ machineID }: Pick<Machine, 'machineID'>, { kind }: Happening | Turn): void {
    if (DOWN.includes(kind)) this.#down.add(machineID);
    else if (UP.includes(kind)) this.#down.delete(machineID);
    else return;
    const ready = !this.#down.has(machineID);
    this.#ledger.see({ node: machineID, at: Date.now(), cordoned: false, ready, bootID: '' });
  }
}
