import type { PoolClient } from 'pg';
import { isOnlySeen, type Changes, type MachineChange } from '../books/books.ts';
import type { LedgerChanges } from '../books/ledger.ts';
import type { Value } from '../engine/engine.ts';
import { MACHINE_COLUMNS, valuesOf } from '../engine/machine-row.ts';
import type { Machine } from '../machine.ts';

const TYPES = 'text text text text text int bigint bigint text text text'.split(' ');
const columns = MACHINE_COLUMNS.join(', ');
const arrays = TYPES.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
const assigned = MACHINE_COLUMNS.slice(2).map((name) => `${name} = new.${name}`);
const table = `unnest(${arrays}) AS new (${columns})`;

const STATEMENTS = {
  seen: `UPDATE machines SET last_seen = seen.at FROM unnest($1::text[], $2::text[], $3::bigint[]) AS seen (app, id, at)
    WHERE machines.app = seen.app AND machines.id = seen.id`,
  // A key that another replica made meanwhile is an error, and the transaction is tried again.
  insert: `INSERT INTO machines (${columns}) SELECT ${columns} FROM ${table}`,
  update: `UPDATE machines SET ${assigned.join(', ')} FROM ${table} WHERE machines.app = new.app AND machines.id = new.id`,
  remove: `DELETE FROM machines USING unnest($1::text[], $2::text[]) AS old (app, id)
    WHERE machines.app = old.app AND machines.id = old.id`,
  counters: `INSERT INTO counters (grp, counter, n) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (grp, counter) DO UPDATE SET n = counters.n + excluded.n`,
  zeros: `DELETE FROM counters USING unnest($1::text[], $2::text[]) AS old (grp, counter)
    WHERE counters.grp = old.grp AND counters.counter = old.counter AND n = 0`,
  starts: 'INSERT INTO starts (grp, number, at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])',
  groups: `UPDATE groups SET nodes = new.nodes, starts = new.starts
    FROM unnest($1::text[], $2::int[], $3::bigint[]) AS new (name, nodes, starts) WHERE groups.name = new.name`,
  history: `INSERT INTO history (at, app, id, grp, kind, message, code, version) SELECT * FROM
    unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])`,
} as const;

/** Writes what transactions changed: a statement for each kind of change, however many there are. */
export async function writeChanges(
  client: PoolClient,
  { machines, ledgers, history }: Changes,
): Promise<void> {
  const write = async (name: keyof typeof STATEMENTS, rows: readonly (readonly Value[])[]) => {
    if (rows.length === 0) return;
    const values = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));
    await client.query({ name: `write-${name}`, text: STATEMENTS[name], values });
  };
  const { seen, made, changed, removed } = sorted(machines);
  await write(
    'seen',
    seen.map(({ app, id, lastSeen }) => [app, id, lastSeen]),
  );
  await write('insert', made.map(valuesOf));
  await write('update', changed.map(valuesOf));
  await write(
    'remove',
    removed.map(({ app, id }) => [app, id]),
  );
  await write(
    'counters',
    ledgers.flatMap(({ group, counters }) => counters.map(([counter, by]) => [group, counter, by])),
  );
  await write('zeros', ledgers.flatMap(loweredCounters));
  await write(
    'starts',
    ledgers.flatMap(({ group, starts }) => starts.map(({ number, at }) => [group, number, at])),
  );
  const rows = ledgers.flatMap(({ group, row }) =>
    row === undefined ? [] : [[group, row.nodes, row.starts]],
  );
  await write('groups', rows);
  await write('history', history.map(valuesOfRecord));
}

function valuesOfRecord({
  at,
  app,
  id,
  group,
  kind,
  message,
  code,
  version,
}: Changes['history'][number]): Value[] {
  return [at, app, id, group, kind, message, code ?? null, version ?? null];
}

function loweredCounters({ group, counters }: LedgerChanges): Value[][] {
  return counters.filter(([, by]) => by < 0).map(([counter]) => [group, counter]);
}

function sorted(
  changes: readonly MachineChange[],
): Record<'seen' | 'made' | 'changed' | 'removed', Machine[]> {
  const found: ReturnType<typeof sorted> = { seen: [], made: [], changed: [], removed: [] };
  for (const change of changes) {
    const { before, after } = change;
    if (after === undefined) found.removed.push(...(before === undefined ? [] : [before]));
    else if (before === undefined) found.made.push(after);
    else found[isOnlySeen(change) ? 'seen' : 'changed'].push(after);
  }
  return found;
}
