import type { Decision } from '../decision.ts';
import type { Machine, MachineKey } from '../machine.ts';
import { keep } from './contact.ts';
import type { Work } from './work.ts';

/** What a sweep asks for a machine that it takes up. */
export type Judge = (machine: Machine, now: number) => Decision;

/** The group of the machine, if anything was done: in the meantime it may have come back. */
export type Done = string | undefined;

/** Ends a grant whose deadline has passed. */
export function expire(key: MachineKey, now: number, judge: Judge): Work<Done> {
  return onMachine(key, (books, machine) => {
    if (machine.grant === undefined || machine.grant.deadline >= now) return undefined;
    keep(books, machine, machine, { ...judge(machine, now), release: true }, now);
    return machine.group;
  });
}

/** Archives a machine that did not ask since `since`; a place that it holds is given back. */
export function archive(key: MachineKey, since: number, now: number, judge: Judge): Work<Done> {
  return onMachine(key, (books, machine) => {
    if (machine.archived || machine.lastSeen >= since) return undefined;
    const { grant: _, ...decision } = judge(machine, now);
    keep(books, machine, { ...machine, archived: true }, { ...decision, release: true }, now);
    return machine.group;
  });
}

/** Forgets an archived machine that did not ask since `since`. */
export function forget(key: MachineKey, since: number): Work<Done> {
  return onMachine(key, (books, machine) => {
    if (!machine.archived || machine.lastSeen >= since) return undefined;
    books.remove(machine);
    return machine.group;
  });
}

function onMachine(
  key: MachineKey,
  run: (books: Parameters<Work['run']>[0], machine: Machine) => Done,
): Work<Done> {
  return {
    machines: [key],
    groups: [],
    run(books) {
      const machine = books.machine(key);
      return machine === undefined ? undefined : run(books, machine);
    },
  };
}
