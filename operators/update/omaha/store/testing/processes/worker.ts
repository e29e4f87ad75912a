import { openPostgresStore } from '../../postgres/open-postgres-store.ts';
import { openSqliteStore } from '../../sqlite/open-sqlite-store.ts';
import type { MachineStore } from '../../store.ts';
import { key, NOW, offer, SIGHTING } from '../machines.ts';

/*
 * A replica of a server, in a process of its own that can be killed. It is told over IPC what its machines ask, and
 * tells each answer when, and only when, the store has acknowledged it.
 */

/** Machines `first` to `last` ask for a place in the group, all at once. */
export interface Order {
  group: string;
  version: string;
  first: number;
  last: number;
  inProgress: number;
}

export type Where = { file: string } | { urls: readonly string[]; schema: string };

/** An acknowledged answer. The end of an order has no machine. */
export interface Answer {
  group: string;
  version: string;
  id?: number;
  granted?: boolean;
}

async function carryOut(store: MachineStore, order: Order): Promise<void> {
  const { group, version, first, last, inProgress } = order;
  const ids = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const sighting = { ...SIGHTING, group, version };
  await Promise.all(
    ids.map(async (id) => {
      const { machine } = await store.contact(key(id), sighting, NOW, () =>
        offer('9.0.0', NOW, { inProgress }),
      );
      tell({ group, version, id, granted: machine.grant !== undefined });
    }),
  );
  tell({ group, version });
}

function tell(answer: Answer): void {
  process.send?.(answer, undefined, undefined, () => {}); // nobody listens any more: the disconnection ends us
}

const where = JSON.parse(process.argv[2] ?? '{}') as Where;
const store = 'file' in where ? await openSqliteStore(where) : await openPostgresStore(where);
process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  void carryOut(store, order as Order);
});
process.send?.('ready');
