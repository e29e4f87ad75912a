import { globSync } from 'node:fs';
import path from 'node:path';

/** Debian's PostgreSQL, the newest that is installed: the directory of its programs, or undefined. */
export function postgresBinaries(): string | undefined {
  const found = globSync('/usr/lib/postgresql/*/bin/initdb');
  const newest = found.toSorted((a, b) => versionOf(b) - versionOf(a))[0];
  return newest === undefined ? undefined : path.dirname(newest);
}

function versionOf(initdb: string): number {
  return Number(initdb.split('/').at(-3));
}

/** Why tests on PostgreSQL cannot run here; false when they can. */
export function withoutPostgres(): string | false {
  if (postgresBinaries() !== undefined) return false;
  return "PostgreSQL is not installed: its programs are in Debian's package postgresql";
}
