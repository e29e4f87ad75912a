import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '#test/machine/machine.ts';

export interface Stop {
  machine: string;
  at: number;
  /** When the agent took the grant that it reboots on, by its own record; undefined when there is none. */
  acceptedAt: number | undefined;
}

const LOOK_EVERY_MS = 25;

/** When machines stopped running, as the machines themselves know it: a clock that no API server stands between. */
export class PowerLog {
  readonly stops: Stop[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #wasUp = new Set<string>();

  constructor(machines: readonly Machine[]) {
    this.#timer = setInterval(
      () => machines.forEach((machine) => this.#look(machine)),
      LOOK_EVERY_MS,
    ).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(machine: Machine): void {
    const { name } = machine;
    const up = machine.state().power === 'up';
    if (this.#wasUp.has(name) && !up)
      this.stops.push({ machine: name, at: Date.now(), acceptedAt: acceptedAt(machine) });
    if (up) this.#wasUp.add(name);
    else this.#wasUp.delete(name);
  }
}

function acceptedAt({ directory }: Machine): number | undefined {
  try {
    const text = readFileSync(join(directory, 'root/var/lib/careen/agent.json'), 'utf8');
    const { armed } = JSON.parse(text) as { armed?: { at: string } };
    return armed && Date.parse(armed.at);
  } catch {
    return undefined;
  }
}
