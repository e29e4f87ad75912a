import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { guarded, type GuardedDirectory, type GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { postgresBinaries } from './binaries.ts';

/** Debian's `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65534;

/** A PostgreSQL server of our own, on the loopback interface, in a directory that vanishes. */
export class PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly #data: string;
  readonly #directory: GuardedDirectory;
  #process: GuardedProcess | undefined;

  constructor(directory: GuardedDirectory, name: string, port: number) {
    this.#directory = directory;
    this.#data = path.join(directory.path, name);
    this.port = port;
    this.url = `postgresql://careen@127.0.0.1:${port}/postgres`;
  }

  async start(settings: readonly string[] = []): Promise<this> {
    const all = [`port=${this.port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings];
    const flags = all.flatMap((setting) => ['-c', setting]);
    const [command = '', ...args] = unprivileged('postgres', ['-D', this.#data, ...flags]);
    const options = { within: this.#directory.cleanup, graceMs: 0, cwd: '/' };
    const answers = async (): Promise<boolean> => {
      // It ends at once while a killed one's children, which are sessions of their own, still hold its memory.
      if (this.#process?.running !== true) this.#process = await guarded(command, args, options);
      await this.query('SELECT 1');
      return true;
    };
    await until('PostgreSQL answers', answers, { timeoutMs: 180_000 });
    return this;
  }

  /** Ends it as a power failure does. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async query(statement: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 60_000 });
    client.on('error', () => {}); // the query tells
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end().catch(() => {}); // it was not connected
    }
  }
}

/** An empty server. */
export async function startPostgres(directory: GuardedDirectory): Promise<PostgresServer> {
  const data = own(directory, 'primary');
  run('initdb', ['-D', data, '-U', 'careen', '-A', 'trust', '--no-sync', '--locale=C', '--encoding=UTF8']);
  return new PostgresServer(directory, 'primary', await freePort()).start();
}

/** A standby that follows the primary, which from then on acknowledges nothing that the standby has not written. */
export async function startStandby(
  directory: GuardedDirectory,
  primary: PostgresServer,
): Promise<PostgresServer> {
  const data = own(directory, 'standby');
  run('pg_basebackup', [
    '-D',
    data,
    '-d',
    `${primary.url}?application_name=standby`,
    '-R',
    '--no-sync',
    '-c',
    'fast',
  ]);
  const standby = await new PostgresServer(directory, 'standby', await freePort()).start();
  await primary.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
  await primary.query('SELECT pg_reload_conf()');
  await until('the standby is synchronous', async () => {
    const [row] = await primary.query('SELECT sync_state FROM pg_stat_replication');
    return row?.['sync_state'] === 'sync';
  });
  return standby;
}

function own(directory: GuardedDirectory, name: string): string {
  const data = path.join(directory.path, name);
  mkdirSync(data, { mode: 0o700 });
  if (process.getuid?.() !== 0) return data;
  for (const one of [directory.path, data]) chownSync(one, NOBODY, NOBODY);
  return data;
}

function run(program: string, args: readonly string[]): void {
  const [command = '', ...rest] = unprivileged(program, args);
  const { status, stderr } = spawnSync(command, rest, { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}

function unprivileged(program: string, args: readonly string[]): string[] {
  const command = [path.join(postgresBinaries() ?? '', program), ...args];
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...command];
}
