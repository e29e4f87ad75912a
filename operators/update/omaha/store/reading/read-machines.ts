import type { Engine } from '../engine/engine.ts';
import { machineOf } from '../engine/machine-row.ts';
import type { Machine, MachineKey } from '../machine.ts';
import type { MachineQuery } from '../store.ts';
import { Conditions } from './conditions.ts';

const LARGEST_PAGE = 1000;
const KEYS_AT_ONCE = 5000;

export async function readMachine(engine: Engine, { app, id }: MachineKey): Promise<Machine | undefined> {
  const statement = 'SELECT app, id, last_seen, body FROM machines WHERE app = $1 AND id = $2';
  const [row] = await engine.query(statement, app, id);
  return row === undefined ? undefined : machineOf(row);
}

/** A page of a group's machines, sorted by app and id. */
export async function readMachines(engine: Engine, query: MachineQuery): Promise<Machine[]> {
  const { group, phase, version, standing, archived = false, after, limit } = query;
  const where = new Conditions().add('grp = ?', group).add('archived = ?', archived ? 1 : 0);
  if (phase !== undefined) where.add('phase = ?', phase);
  if (version !== undefined) where.add('version = ?', version);
  if (standing !== undefined) where.add('target = ? AND outcome = ?', standing.target, standing.outcome);
  if (after !== undefined) where.add('(app, id) > (?, ?)', after.app, after.id);
  const page = `ORDER BY app, id LIMIT ${Math.min(Math.max(Math.floor(limit), 0), LARGEST_PAGE)}`;
  const rows = await engine.query(
    `SELECT app, id, last_seen, body FROM machines ${where.toString()} ${page}`,
    ...where.values,
  );
  return rows.map(machineOf);
}

/** The keys of a group's machines that are not archived, sorted, in pages. */
export async function* readKeys(engine: Engine, group: string): AsyncGenerator<MachineKey[]> {
  const statement = `SELECT app, id FROM machines WHERE grp = $1 AND archived = 0 AND (app, id) > ($2, $3)
    ORDER BY app, id LIMIT ${KEYS_AT_ONCE}`;
  let last: MachineKey = { app: '', id: '' };
  for (;;) {
    const rows = await engine.query(statement, group, last.app, last.id);
    const keys = rows.map(({ app, id }) => ({ app: String(app), id: String(id) }));
    if (keys.length > 0) yield keys;
    if (keys.length < KEYS_AT_ONCE) return;
    last = keys.at(-1) ?? last;
  }
}
