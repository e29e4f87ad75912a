import { statSync } from 'node:fs';
import path from 'node:path';
import { openSqliteStore } from '#operators/update/omaha/store/sqlite/open-sqlite-store.ts';
import { NOW } from '#operators/update/omaha/store/testing/machines.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { measureReads } from './omaha/aggregates.ts';
import { fillHistory } from './omaha/fill-history.ts';
import { bytesWritten, megabytes, memory } from './omaha/measure.ts';
import { measureRequests } from './omaha/shapes.ts';
import { StoreSubject } from './omaha/store-subject.ts';
import { HISTORY } from './omaha/subject.ts';

/*
 * What the store of machines outside the cluster does on this machine, in a SQLite file: requests in each shape,
 * aggregates over 100 000 machines and 400 000 records of history, memory, writes, and a restart.
 */

const directory = await guardedDirectory('careen-bench-omaha-');
const file = path.join(directory.path, 'machines.db');
const store = await openSqliteStore({ file });
const before = bytesWritten();
await measureRequests(new StoreSubject(store));
console.log(`resident memory ${megabytes(memory())}, written ${megabytes(bytesWritten() - before)}`);
await store.close();

fillHistory(file, HISTORY, NOW);
const start = performance.now();
const again = await openSqliteStore({ file });
await again.group('steady');
console.log(
  `restart, to the first answer: ${(performance.now() - start).toFixed(0)} ms, file ${megabytes(statSync(file).size)}`,
);
await measureReads(again, 'steady');
await again.close();
await directory.remove();
