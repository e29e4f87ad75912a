import type { Decide, Limits } from '../decision.ts';
import type { Machine, MachineKey, Sighting } from '../machine.ts';
import { readGroup, readGroups, readTimeline } from '../reading/read-group.ts';
import { readHistory } from '../reading/read-history.ts';
import { readKeys, readMachine, readMachines } from '../reading/read-machines.ts';
import type {
  Contact,
  GroupCounts,
  HistoryQuery,
  HistoryRecord,
  MachineQuery,
  MachineStore,
  Sample,
  SweepPolicy,
  Swept,
} from '../store.ts';
import { Sweeper } from '../sweeper.ts';
import { contact } from '../work/contact.ts';
import { holdNodes } from '../work/hold-nodes.ts';
import type { Engine } from './engine.ts';
import { GroupCommit } from './group-commit.ts';

/** The store over either kind of database. */
export class EngineStore implements MachineStore {
  readonly #engine: Engine;
  readonly #commit: GroupCommit;
  readonly #sweeper: Sweeper;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#commit = new GroupCommit(engine);
    this.#sweeper = new Sweeper(engine, this.#commit);
  }

  contact(key: MachineKey, sighting: Sighting, now: number, decide: Decide): Promise<Contact> {
    return this.#commit.run(contact(key, sighting, now, decide));
  }

  holdNodes(group: string, held: number, more: number, limits: Limits, now: number): Promise<number> {
    return this.#commit.run(holdNodes(group, held, more, limits, now));
  }

  machine(key: MachineKey): Promise<Machine | undefined> {
    return readMachine(this.#engine, key);
  }

  group(name: string): Promise<GroupCounts> {
    return readGroup(this.#engine, name);
  }

  groups(): Promise<string[]> {
    return readGroups(this.#engine);
  }

  keys(group: string): AsyncIterable<MachineKey[]> {
    return readKeys(this.#engine, group);
  }

  machines(query: MachineQuery): Promise<Machine[]> {
    return readMachines(this.#engine, query);
  }

  history(query: HistoryQuery): Promise<HistoryRecord[]> {
    return readHistory(this.#engine, query);
  }

  timeline(group: string, since: number, until: number): Promise<Sample[]> {
    return readTimeline(this.#engine, group, since, until);
  }

  sweep(now: number, policy: SweepPolicy): Promise<Swept> {
    return this.#sweeper.sweep(now, policy);
  }

  async close(): Promise<void> {
    await this.#commit.close();
    await this.#engine.close();
  }
}
