import { fullLimit } from '../books/room.ts';
import { settle } from '../books/settle.ts';
import { sight } from '../books/sight.ts';
import type { Books } from '../books/books.ts';
import type { Decide, Decision } from '../decision.ts';
import type { Machine, MachineKey, Sighting } from '../machine.ts';
import type { Contact } from '../store.ts';
import type { Work } from './work.ts';

/** One request of a machine. */
export function contact(key: MachineKey, sighting: Sighting, now: number, decide: Decide): Work<Contact> {
  return {
    machines: [key],
    groups: [sighting.group],
    run(books) {
      const before = books.machine(key);
      const seen = sight(before, key, sighting, now);
      const movedFrom = before?.group === seen.group ? undefined : before?.group;
      const decision = decide(seen, books.ledger(seen.group).view(), movedFrom);
      const contact = keep(books, before, seen, decision, now);
      if (before === undefined)
        books.note(seen, [{ kind: 'FirstSeen', message: `runs ${seen.version}` }], now);
      return contact;
    },
  };
}

/** Does to a machine what was decided: the grant if there is room, the counters, the history. */
export function keep(
  books: Books,
  before: Machine | undefined,
  seen: Machine,
  decision: Decision,
  now: number,
): Contact {
  const ledger = books.ledger(seen.group);
  const heldIn = before?.group ?? seen.group;
  const own = before?.grant !== undefined && heldIn === seen.group ? 1 : 0;
  const room = { ledger, own, now, startedAt: books.startedAt } as const;
  const { machine, full, started, history } = settle(seen, heldIn, decision, now, ({ limits }, holds) =>
    fullLimit(room, limits, holds),
  );
  books.put(machine);
  if (started) ledger.start(now);
  books.note(machine, history, now);
  return full === undefined ? { machine } : { machine, full };
}
