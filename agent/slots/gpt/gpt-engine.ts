import type { SlotStatus } from '#api/node-state.ts';
import type { EngineStatus, SlotEngine, SlotTarget } from '../engine.ts';
import type { OpenMedium } from '../medium.ts';
import { SlotError } from '../slot-error.ts';
import { fallbackSlot, nextSlot } from './choose.ts';
import { commit, isIntact } from './commit.ts';
import { findDiskAt, type Disk, type DiskOptions } from './disk.ts';
import type { Partition } from './partition.ts';
import { readTable, type TableOnDisk } from './read.ts';
import { slotsOf, type Table } from './table.ts';
import { armed, cleared, disarmed, markedGood } from './transitions.ts';

export interface GptOptions extends DiskOptions {
  /** Block device or image file. */
  disk: string;
  /** PARTUUID of the slot that runs. */
  running: string;
  /** GUID that the disk must have. */
  diskID?: string | undefined;
}

/** How often a change is begun again when another program wrote the table meanwhile. */
const ATTEMPTS = 3;

/**
 * The slots of a disk in CoreOS's layout: two partitions of type USR, chosen by the priority, tries and
 * successful bits of their GPT entries. Throws `SlotError` unless the running slot is on the disk.
 */
export async function openGptEngine(options: GptOptions): Promise<SlotEngine> {
  const engine = new GptEngine(await findDiskAt(options.disk, options), options);
  await engine.status();
  return engine;
}

type Change = (table: Table, slots: Slots) => Table;

interface Slots {
  running: Partition;
  passive: Partition;
}

export class GptEngine implements SlotEngine {
  readonly kind = 'gpt';
  readonly #disk: Disk;
  readonly #running: string;
  readonly #diskID: string | undefined;
  /** Changes follow one another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, { running, diskID }: Pick<GptOptions, 'running' | 'diskID'>) {
    this.#disk = disk;
    this.#running = running.toLowerCase();
    this.#diskID = diskID?.toLowerCase();
  }

  async status(): Promise<EngineStatus> {
    return this.#withDisk(false, async (medium) => this.#describe(await readTable(medium)));
  }

  async repair(): Promise<boolean> {
    return this.#change((table) => table);
  }

  async open(name?: string): Promise<SlotTarget> {
    const { running, passive } = await this.#withDisk(false, async (medium) =>
      this.#slots((await readTable(medium)).table),
    );
    if (name === running.name)
      throw new SlotError('SlotRunning', `${name} is running; it is never written to`);
    if (name !== undefined && name !== passive.name)
      throw new SlotError('NoSlots', `there is no slot ${name}`);
    const medium = await this.#disk.openPartition(passive);
    return {
      name: passive.name,
      partUUID: passive.uuid,
      medium,
      clear: () => this.clear(),
      close: () => medium.close(),
    };
  }

  async clear(): Promise<void> {
    await this.#change((table, { passive }) => cleared(table, passive.number));
  }

  async arm(tries: number): Promise<void> {
    await this.#change((table, { passive }) => armed(table, passive.number, tries));
  }

  async disarm(): Promise<void> {
    await this.#change((table, { passive }) => disarmed(table, passive.number));
  }

  async markGood(): Promise<void> {
    await this.#change((table, { running }) => markedGood(table, running.number));
  }

  async fallBack(): Promise<void> {
    await this.#change((table, { running }) => disarmed(table, running.number));
  }

  #describe(found: TableOnDisk): EngineStatus {
    const { running, passive } = this.#slots(found.table);
    const next = nextSlot(found.table);
    const fallback = fallbackSlot(found.table);
    return {
      slots: slotsOf(found.table).map((slot) => slotStatus(slot, slot === running, slot === next)),
      running: running.name,
      passive: passive.name,
      ...(next && { next: next.name }),
      ...(fallback && { fallback: fallback.name }),
      diskID: found.table.header.diskGUID,
      damaged: !isIntact(found),
    };
  }

  /** The running slot and the other one; throws unless this is the machine's disk and has just these two. */
  #slots(table: Table): Slots {
    const { path } = this.#disk;
    const { diskGUID } = table.header;
    if (this.#diskID !== undefined && this.#diskID !== diskGUID) {
      throw new SlotError(
        'WrongDisk',
        `${path} is disk ${diskGUID}, not ${this.#diskID} as before; check the disks`,
      );
    }
    const slots = slotsOf(table);
    const running = slots.find(({ uuid }) => uuid === this.#running);
    const [passive, ...more] = slots.filter((slot) => slot !== running);
    if (slots.length === 0) throw new SlotError('NoSlots', `${path} has no partitions of type USR`);
    if (!running) throw new SlotError('WrongDisk', `the running slot ${this.#running} is not on ${path}`);
    if (!passive || more.length > 0 || passive.name === running.name) {
      throw new SlotError(
        'NoSlots',
        `${path} must have two slots with different names; it has ${slots.length}`,
      );
    }
    return { running, passive };
  }

  /** Reads, decides, commits; again when another program was faster. Returns whether anything was written. */
  async #change(decide: Change): Promise<boolean> {
    const result = this.#turn.then(() => this.#withDisk(true, (medium) => this.#commit(medium, decide)));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #commit(medium: OpenMedium, decide: Change): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const found = await readTable(medium);
      const next = decide(found.table, this.#slots(found.table));
      try {
        return await commit(medium, found, next);
      } catch (error) {
        const raced = error instanceof SlotError && error.code === 'SlotBusy';
        if (!raced || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #withDisk<T>(writable: boolean, use: (medium: OpenMedium) => Promise<T>): Promise<T> {
    const medium = await this.#disk.open(writable);
    try {
      return await use(medium);
    } finally {
      await medium.close();
    }
  }
}

function slotStatus(
  { name, uuid, priority, tries, successful }: Partition,
  booted: boolean,
  next: boolean,
): SlotStatus {
  return { name, partUUID: uuid, priority, tries, successful, booted, next };
}
