import type { PoolClient } from 'pg';
import { StoreError } from '../store-error.ts';
import { MIGRATIONS } from './schema.ts';

/** A number of our own, so that replicas that start together migrate one after the other. */
const LOCK = 0x63617265656e;

/** Makes the schema if it is missing, and brings it up to this release's. */
export async function migrate(client: PoolClient, schema: string): Promise<void> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  const version = await schemaVersion(client, schema);
  for (const step of MIGRATIONS.slice(version)) await client.query(step);
  await client.query('UPDATE careen_schema SET version = $1', [MIGRATIONS.length]);
  await client.query('COMMIT');
}

async function schemaVersion(client: PoolClient, schema: string): Promise<number> {
  const tables = 'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1';
  const { rows } = await client.query<{ name: string }>(tables, [schema]);
  if (rows.length === 0) {
    await client.query('CREATE TABLE careen_schema (version INTEGER NOT NULL)');
    await client.query('INSERT INTO careen_schema VALUES (0)');
    return 0;
  }
  if (!rows.some(({ name }) => name === 'careen_schema')) {
    throw new StoreError('Foreign', `PostgreSQL: the schema ${schema} holds tables of another program`);
  }
  const found = await client.query<{ version: number }>('SELECT version FROM careen_schema');
  const version = found.rows[0]?.version ?? 0;
  if (version <= MIGRATIONS.length) return version;
  const versions = `version ${version}; this release knows ${MIGRATIONS.length}`;
  throw new StoreError(
    'SchemaNewer',
    `PostgreSQL: ${schema} is of ${versions}: run the release that wrote it`,
  );
}
