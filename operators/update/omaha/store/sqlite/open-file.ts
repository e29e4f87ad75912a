import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store-error.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import { sqliteError } from './sqlite-error.ts';

/** How long the process before us may take to let go of the file. */
const PATIENCE_MS = 3000;

/*
 * FULL: a commit is on the medium when it returns, so that a power failure forgets no grant. EXCLUSIVE: nobody
 * else may write, which budgets kept in one process rest on. The log is written back after 4 MiB and then used
 * from its beginning again.
 */
const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 1000;
  PRAGMA cache_size = -32768;
  PRAGMA temp_store = MEMORY;
`;

/** Opens the file, makes it if it is missing, and brings its schema up to this release's. */
export function openFile(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: PATIENCE_MS });
    checkOwner(database, file);
    database.exec(SETTINGS);
    migrate(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw sqliteError(error, file);
  }
}

function checkOwner(database: DatabaseSync, file: string): void {
  const owner = pragma(database, 'application_id');
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  if (owner === APPLICATION_ID || (owner === 0 && tables === 0)) return;
  throw new StoreError('Foreign', `${file} is a database of another program`);
}

function migrate(database: DatabaseSync, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  const version = pragma(database, 'user_version');
  if (version > MIGRATIONS.length) {
    const versions = `version ${version}; this release knows ${MIGRATIONS.length}`;
    throw new StoreError('SchemaNewer', `${file} has a schema of ${versions}: run the release that wrote it`);
  }
  for (const step of MIGRATIONS.slice(version)) database.exec(step);
  database.exec(
    `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`,
  );
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
