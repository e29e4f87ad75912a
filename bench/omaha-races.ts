import path from 'node:path';
import { openPostgresStore } from '#operators/update/omaha/store/postgres/open-postgres-store.ts';
import { openSqliteStore } from '#operators/update/omaha/store/sqlite/open-sqlite-store.ts';
import { withoutPostgres } from '#operators/update/omaha/store/testing/postgres/binaries.ts';
import { startPostgres } from '#operators/update/omaha/store/testing/postgres/server.ts';
import { race, type Race } from '#operators/update/omaha/store/testing/processes/race.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';

/*
 * Ten thousand trials of machines that ask at the same time for fewer places than they are, on each kind of store,
 * while replicas are killed: no trial may overshoot its budget, and no acknowledged grant may be lost.
 */

const TRIALS = 10_000;
const KILL_EVERY = 500;

async function report(what: string, options: Omit<Race, 'trials' | 'killEvery' | 'progress'>): Promise<void> {
  const start = performance.now();
  const progress = (done: number) => {
    if (done % 1000 === 0) console.log(`${what}: ${done} trials`);
  };
  const result = await race({ ...options, trials: TRIALS, killEvery: KILL_EVERY, progress });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const { trials, kills, overshoots, lost } = result;
  console.log(
    `${what}: ${trials} trials, ${kills} kills: overshoots ${overshoots}, lost ${lost} (${seconds} s)`,
  );
  if (overshoots + lost > 0) process.exitCode = 1;
}

const directory = await guardedDirectory('careen-bench-races-');
const file = path.join(directory.path, 'machines.db');
await report('SQLite, 1 replica', { where: { file }, count: () => openSqliteStore({ file }), replicas: 1 });
await directory.remove();

const missing = withoutPostgres();
if (missing !== false) console.log(`no race on PostgreSQL: ${missing}`);
for (const replicas of missing === false ? [3, 1] : []) {
  const home = await guardedDirectory('careen-bench-races-');
  const server = await startPostgres(home);
  const where = { urls: [server.url], schema: 'race' };
  const count = () => openPostgresStore(where);
  await report(`PostgreSQL, ${replicas} replicas`, { where, count, replicas });
  await home.remove();
}
