import assert from 'node:assert/strict';
import type { EngineStatus, SlotEngine, SlotTarget } from '../../slots/engine.ts';
import { SlotError } from '../../slots/slot-error.ts';

/** How an image behaves when it is booted. `no-agent`: it comes up, and the agent never runs on it. */
export type Behaviour = 'ok' | 'no-boot' | 'unhealthy' | 'no-agent';

export interface ModelSlot {
  name: string;
  partUUID: string;
  priority: number;
  tries: number;
  successful: boolean;
  /** What is in it; undefined while it is being written. */
  version: string | undefined;
  behaviour: Behaviour;
}

type Guard = (effect: string, change: () => void) => Promise<void>;

/** Two slots under GRUB's rule, in memory; every change goes through `guard`, which may cut it off. */
export class ModelDisk {
  readonly slots: [ModelSlot, ModelSlot] = [slot('USR-A', 1), slot('USR-B', 0)];
  running: ModelSlot = this.slots[0];

  /** The bootloader's turn: counts a try and boots; an image that does not boot leads back to it. */
  boot(): void {
    for (;;) {
      const next = this.next();
      assert.ok(next, 'the machine has a slot that boots');
      assert.ok(next.version, `${next.name} holds a whole image when it is booted`);
      if (next.tries > 0) next.tries -= 1;
      if (next.behaviour === 'no-boot') continue;
      this.running = next;
      return;
    }
  }

  next(without?: ModelSlot): ModelSlot | undefined {
    const able = this.slots.filter(
      (one) => one !== without && (one.tries > 0 || one.successful) && one.priority > 0,
    );
    return able.toSorted((a, b) => b.priority - a.priority)[0];
  }

  get passive(): ModelSlot {
    return this.running === this.slots[0] ? this.slots[1] : this.slots[0];
  }

  engine(guard: Guard): SlotEngine {
    return new ModelEngine(this, guard);
  }
}

function slot(name: string, priority: number): ModelSlot {
  const good = priority > 0;
  return {
    name,
    partUUID: name,
    priority,
    tries: 0,
    successful: good,
    version: good ? '1.0.0' : undefined,
    behaviour: 'ok',
  };
}

class ModelEngine implements SlotEngine {
  readonly kind = 'gpt';
  readonly #disk: ModelDisk;
  readonly #guard: Guard;

  constructor(disk: ModelDisk, guard: Guard) {
    this.#disk = disk;
    this.#guard = guard;
  }

  async status(): Promise<EngineStatus> {
    const { slots, running, passive } = this.#disk;
    const next = this.#disk.next();
    return {
      slots: slots.map((one) => ({ ...shown(one), booted: one === running, next: one === next })),
      running: running.name,
      passive: passive.name,
      diskID: 'disk',
      damaged: false,
    };
  }

  async repair(): Promise<boolean> {
    return false;
  }

  async open(): Promise<SlotTarget> {
    throw new Error('the model stages by itself');
  }

  clear(): Promise<void> {
    return this.#guard('clear', () => set(this.#disk.passive, 0, 0, false));
  }

  arm(tries: number): Promise<void> {
    return this.#guard('arm', () => {
      set(this.#disk.passive, 2, tries, false);
      this.#disk.running.priority = 1;
    });
  }

  disarm(): Promise<void> {
    return this.#guard('disarm', () => set(this.#disk.passive, 0, 0, false));
  }

  markGood(): Promise<void> {
    return this.#guard('markGood', () => set(this.#disk.running, 2, 0, true));
  }

  fallBack(): Promise<void> {
    const { running } = this.#disk;
    assert.equal(running.successful, false, 'a good slot is never given up');
    if (this.#disk.next(running) === undefined) throw new SlotError('NoSlots', 'nothing to go back to');
    return this.#guard('fallBack', () => set(running, 0, 0, false));
  }
}

function shown({ name, partUUID, priority, tries, successful }: ModelSlot) {
  return { name, partUUID, priority, tries, successful };
}

function set(one: ModelSlot, priority: number, tries: number, successful: boolean): void {
  Object.assign(one, { priority, tries, successful });
}
