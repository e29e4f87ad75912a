import type { Machine } from '../machine.ts';
import type { Row, Value } from './engine.ts';

/** The columns of a machine. What is asked for has one of its own; all else is in `body`. */
export const MACHINE_COLUMNS = [
  'app',
  'id',
  'grp',
  'version',
  'phase',
  'archived',
  'last_seen',
  'deadline',
  'target',
  'outcome',
  'body',
] as const;

/** The values of a machine's columns, in that order. */
export function valuesOf(machine: Machine): Value[] {
  const { app, id, lastSeen, ...body } = machine;
  const { group, version, phase, archived, grant, rollout } = body;
  const found = [app, id, group, version, phase, archived ? 1 : 0, lastSeen];
  const sought = [grant?.deadline ?? null, rollout?.target ?? null, rollout?.outcome ?? null];
  return [...found, ...sought, JSON.stringify(body)];
}

/** The machine of a row with `app`, `id`, `last_seen` and `body`. */
export function machineOf({ app, id, last_seen, body }: Row): Machine {
  const rest = JSON.parse(String(body)) as Omit<Machine, 'app' | 'id' | 'lastSeen'>;
  return { ...rest, app: String(app), id: String(id), lastSeen: Number(last_seen) };
}
