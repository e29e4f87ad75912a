import { isDeepStrictEqual } from 'node:util';
import { decideMachine, type Asked, type Judgement } from '../decide/decide-machine.ts';
import type { Service } from '../decide/service.ts';
import type { OmahaEvent } from '../protocol/request.ts';
import type { Machine } from '../store/machine.ts';
import { contact } from '../store/work/contact.ts';
import { BooksInMemory } from './books-in-memory.ts';

const APP = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

/** How far a machine is with what it was offered, as it knows itself. */
interface Itself {
  version: string;
  offered?: string | undefined;
  stage: 'idle' | 'offered' | 'downloading' | 'installed';
}

/** One check: how the machine stood, how it stands, and what it was given. */
export interface Answered {
  id: string;
  running: string;
  before: Machine | undefined;
  after: Machine;
  given: string | undefined;
  now: number;
}

export type Deed = 'check' | 'go' | 'fail' | 'fall back' | 'restart';

/** Machines of one group with update_engine's manners, before real decisions and the store's own books. */
export class CourseOfMachines {
  readonly books = new BooksInMemory();
  readonly #machines: Itself[];

  constructor(versions: readonly string[]) {
    this.#machines = versions.map((version) => ({ version, stage: 'idle' }));
  }

  /** What the machine does next under this service; gives its check, if it made one. */
  act(service: Service, index: number, deed: Deed, now: number): Answered | undefined {
    const machine = this.#machines[index % this.#machines.length];
    if (machine === undefined) return undefined;
    const id = `m${index % this.#machines.length}`;
    const say = (check: boolean, events: OmahaEvent[]) =>
      this.#say(service, id, machine, { check, events }, now);
    if (deed === 'check') return say(true, [cameFrom('')]);
    if (deed === 'go' || (deed === 'fall back' && machine.stage !== 'installed'))
      return this.#go(machine, say);
    if (machine.stage === 'idle') return undefined;
    if (deed === 'restart') {
      machine.stage = 'idle';
      return say(true, [cameFrom('')]);
    }
    const fellBack = deed === 'fall back';
    machine.stage = 'idle';
    return say(fellBack, [event(3, 0, { errorCode: fellBack ? 44 : 5 })]);
  }

  #go(machine: Itself, say: (check: boolean, events: OmahaEvent[]) => Answered | undefined) {
    switch (machine.stage) {
      case 'idle':
        return say(true, [cameFrom('')]);
      case 'offered':
        machine.stage = 'downloading';
        return say(false, [event(13, 1)]);
      case 'downloading':
        machine.stage = 'installed';
        say(false, [event(14, 1)]);
        return say(false, [event(3, 1)]);
      case 'installed': {
        const old = machine.version;
        machine.version = machine.offered ?? old;
        machine.stage = 'idle';
        return say(true, [cameFrom(old)]);
      }
    }
  }

  #say(
    service: Service,
    id: string,
    itself: Itself,
    told: Pick<Asked, 'check' | 'events'>,
    now: number,
  ): Answered | undefined {
    const key = { app: APP, id };
    const before = this.books.machine(key);
    if (before === undefined && !told.check) return undefined;
    const sighting = { group: service.group, version: itself.version, track: 'stable', arch: 'amd64' };
    let judgement: Judgement | undefined;
    const { machine, full } = this.books.run(
      contact(key, { ...sighting, address: '192.0.2.1' }, now, (seen, view, movedFrom) => {
        const asked = { ...told, onDemand: false, labels: {}, movedFrom };
        judgement = decideMachine(service, seen, view, asked, now);
        const again = decideMachine(service, seen, view, asked, now);
        if (!isDeepStrictEqual(plain(judgement), plain(again)))
          throw new Error('another answer to the same question');
        return judgement.decision;
      }),
    );
    const version = judgement?.offer?.version;
    const given = full === undefined && machine.grant?.version === version ? version : undefined;
    if (given !== undefined && itself.stage === 'idle')
      Object.assign(itself, { stage: 'offered', offered: given });
    return told.check ? { id, running: itself.version, before, after: machine, given, now } : undefined;
  }
}

function cameFrom(previousVersion: string): OmahaEvent {
  return event(3, 2, { previousVersion });
}

function event(type: number, result: number, more: Partial<OmahaEvent> = {}): OmahaEvent {
  const nothing = { errorCode: undefined, previousVersion: undefined, nextVersion: undefined };
  return { type, result, ...nothing, ...more };
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
