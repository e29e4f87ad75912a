import type { HistoryEntry } from '../decision.ts';
import type { Machine, MachineKey } from '../machine.ts';
import { StoreError } from '../store-error.ts';
import type { HistoryRecord } from '../store.ts';
import { contribution } from './contribution.ts';
import { Ledger, type LedgerChanges, type LedgerStart } from './ledger.ts';
import type { StartedAt } from './room.ts';
import { isSame } from './same.ts';

/** The database, as a transaction sees it. */
export interface Source {
  machine(key: MachineKey): Machine | undefined;
  ledger(group: string): LedgerStart;
  startedAt: StartedAt;
  /** How many more machines may be kept. */
  room: number;
}

/** A machine that is made, changed or removed. */
export interface MachineChange {
  before: Machine | undefined;
  after: Machine | undefined;
}

/** Whether nothing changed but when the machine was seen, as with nearly every request. */
export function isOnlySeen({ before, after }: MachineChange): boolean {
  if (before === undefined || after === undefined) return false;
  return isSame(before, { ...after, lastSeen: before.lastSeen });
}

/** What a transaction has to write. */
export interface Changes {
  machines: MachineChange[];
  ledgers: LedgerChanges[];
  history: Omit<HistoryRecord, 'sequence'>[];
}

const LONGEST_ID = 128;
/** Of all that is kept of one machine, in characters. */
const LONGEST_BODY = 8192;

/** The store's state while transactions change it in memory; nothing here waits, or writes. */
export class Books {
  readonly #source: Source;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #machines = new Map<string, MachineChange>();
  readonly #history: Changes['history'] = [];
  #made = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  get startedAt(): StartedAt {
    return this.#source.startedAt;
  }

  machine(key: MachineKey): Machine | undefined {
    const name = nameOf(key);
    const known = this.#machines.get(name);
    if (known !== undefined) return known.after;
    const machine = this.#source.machine(key);
    this.#machines.set(name, { before: machine, after: machine });
    return machine;
  }

  ledger(group: string): Ledger {
    let ledger = this.#ledgers.get(group);
    if (ledger === undefined) {
      ledger = new Ledger(group, this.#source.ledger(group));
      this.#ledgers.set(group, ledger);
    }
    return ledger;
  }

  /** Keeps what a machine became, and its counters with it. Throws before anything is changed, or not at all. */
  put(after: Machine): void {
    const before = this.machine(after);
    if (before !== undefined && isSame(before, after)) return;
    if (before === undefined && this.#made >= this.#source.room) {
      throw new StoreError('Full', 'as many machines are kept as may be');
    }
    if (!isOnlySeen({ before, after })) checkSize(after, JSON.stringify(after));
    this.#replace(after, before, after);
  }

  remove(machine: Machine): void {
    this.#replace(machine, this.machine(machine), undefined);
  }

  note({ app, id, group }: Machine, entries: readonly HistoryEntry[], at: number): void {
    for (const entry of entries) this.#history.push({ ...entry, app, id, group, at });
  }

  changes(): Changes {
    return {
      machines: [...this.#machines.values()].filter(({ before, after }) => before !== after),
      ledgers: [...this.#ledgers.values()].map((ledger) => ledger.changes()),
      history: this.#history,
    };
  }

  #replace(key: MachineKey, before: Machine | undefined, after: Machine | undefined): void {
    const change = this.#machines.get(nameOf(key));
    this.#machines.set(nameOf(key), { before: change?.before, after });
    if (before === undefined) this.#made += 1;
    const left = before === undefined ? [] : contribution(before);
    const right = after === undefined ? [] : contribution(after);
    if (before?.group === after?.group && left.join() === right.join()) return;
    if (before !== undefined) this.ledger(before.group).add(left, -1);
    if (after !== undefined) this.ledger(after.group).add(right, 1);
  }
}

function nameOf({ app, id }: MachineKey): string {
  return `${app}\n${id}`;
}

function checkSize({ app, id }: MachineKey, body: string): void {
  if (Math.max(app.length, id.length) <= LONGEST_ID && body.length <= LONGEST_BODY) return;
  throw new StoreError('TooLarge', `what machine ${id.slice(0, LONGEST_ID)} told is longer than is kept`);
}
