import type { Decision } from '#operators/update/omaha/store/decision.ts';
import type { MachineStore } from '#operators/update/omaha/store/store.ts';
import { key, NOW, offer, SIGHTING, UNLIMITED } from '#operators/update/omaha/store/testing/machines.ts';
import type { Subject } from './subject.ts';

const UP_TO_DATE: Decision = {};

/** The store alone, with decisions that take no time. */
export class StoreSubject implements Subject {
  readonly pid = 'self';
  readonly #store: MachineStore;
  #now = NOW;

  constructor(store: MachineStore) {
    this.#store = store;
  }

  steady(machine: number): Promise<unknown> {
    return this.#store.contact(key(machine), { ...SIGHTING, group: 'steady' }, this.#now, () => UP_TO_DATE);
  }

  held(size: number, machine: number): Promise<unknown> {
    const told = { ...SIGHTING, group: `held-${size}` };
    return this.#store.contact(key(`h${size}-${machine}`), told, this.#now, ({ hold }) => ({
      ...offer('2.0.0', this.#now, { inProgress: 10 }),
      full: (limit) => ({ hold: hold ?? { reason: limit, message: 'no room', since: this.#now } }),
    }));
  }

  begin(machine: number): Promise<unknown> {
    return this.#store.contact(key(machine), { ...SIGHTING, group: 'steady' }, this.#now, () =>
      offer('2.0.0', this.#now, UNLIMITED),
    );
  }

  event(machine: number): Promise<unknown> {
    return this.#store.contact(key(machine), { ...SIGHTING, group: 'steady' }, this.#now, ({ phase }) => ({
      phase: phase === 'Downloading' ? 'Downloaded' : 'Downloading',
      history: [{ kind: 'Downloading', message: 'has begun to download 2.0.0', version: '2.0.0' }],
    }));
  }

  pass(ms: number): Promise<void> {
    this.#now += ms;
    return Promise.resolve();
  }
}
