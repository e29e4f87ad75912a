import type { Engine, Row } from '../engine/engine.ts';
import type { HistoryQuery, HistoryRecord } from '../store.ts';
import { Conditions } from './conditions.ts';

const LARGEST_PAGE = 1000;

/** A page of what happened, the newest first. */
export async function readHistory(engine: Engine, query: HistoryQuery): Promise<HistoryRecord[]> {
  const { group, machine, before, limit } = query;
  const where = new Conditions();
  if (group !== undefined) where.add('grp = ?', group);
  if (machine !== undefined) where.add('app = ? AND id = ?', machine.app, machine.id);
  if (before !== undefined) where.add('sequence < ?', before);
  const page = `ORDER BY sequence DESC LIMIT ${Math.min(Math.max(Math.floor(limit), 0), LARGEST_PAGE)}`;
  const rows = await engine.query(`SELECT * FROM history ${where.toString()} ${page}`, ...where.values);
  return rows.map(recordOf);
}

function recordOf({ sequence, at, app, id, grp, kind, message, code, version }: Row): HistoryRecord {
  return {
    sequence: Number(sequence),
    at: Number(at),
    app: String(app),
    id: String(id),
    group: String(grp),
    kind: String(kind),
    message: String(message),
    ...(code === null ? {} : { code: Number(code) }),
    ...(version === null ? {} : { version: String(version) }),
  };
}
