import { fullLimit } from '../books/room.ts';
import type { Limits } from '../decision.ts';
import type { Work } from './work.ts';

/** Counts the nodes of the cluster that hold places of the group, and gives as many more as there is room for. */
export function holdNodes(
  group: string,
  held: number,
  more: number,
  limits: Limits,
  now: number,
): Work<number> {
  return {
    machines: [],
    groups: [group],
    run(books) {
      const ledger = books.ledger(group);
      const room = { ledger, own: 0, now, startedAt: books.startedAt } as const;
      ledger.holdNodes(held);
      let given = 0;
      while (given < more && fullLimit(room, limits, false) === undefined) {
        given += 1;
        ledger.holdNodes(held + given);
        ledger.start(now);
      }
      return given;
    },
  };
}
