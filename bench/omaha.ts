import { statSync } from 'node:fs';
import path from 'node:path';
import { openSqliteStore } from '#operators/update/omaha/store/sqlite/open-sqlite-store.ts';
import { NOW } from '#operators/update/omaha/store/testing/machines.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { measureReads } from './omaha/aggregates.ts';
import { fillHistory } from './omaha/fill-history.ts';
import { startServer } from './omaha/http-server.ts';
import { HttpSubject } from './omaha/http-subject.ts';
import { bytesWritten, megabytes, memory } from './omaha/measure.ts';
import { measureRequests } from './omaha/shapes.ts';
import { StoreSubject } from './omaha/store-subject.ts';
import { HISTORY } from './omaha/subject.ts';

/*
 * What the Omaha endpoint and its store in a SQLite file do on this machine: requests in each shape, aggregates over
 * 100 000 machines and 400 000 records of history, memory, writes, and a restart. The load comes from this machine too.
 */

console.log('over HTTP, the server in a process of its own:');
const server = await startServer();
const http = new HttpSubject(server);
const unwritten = bytesWritten(server.pid);
await measureRequests(http);
console.log(
  `resident memory ${megabytes(memory(server.pid))}, written ${megabytes(bytesWritten(server.pid) - unwritten)}`,
);
http.close();
await server.stop();

console.log('\nthe store alone:');
const directory = await guardedDirectory('careen-bench-omaha-');
const file = path.join(directory.path, 'machines.db');
const store = await openSqliteStore({ file });
const before = bytesWritten();
await measureRequests(new StoreSubject(store));
console.log(`resident memory ${megabytes(memory())}, written ${megabytes(bytesWritten() - before)}`);
await store.close();

console.log(`\n${HISTORY} records of history:`);
fillHistory(file, HISTORY, NOW);
const start = performance.now();
const again = await openSqliteStore({ file });
await again.group('steady');
const restart = (performance.now() - start).toFixed(0);
console.log(`restart, to the first answer: ${restart} ms, file ${megabytes(statSync(file).size)}`);
await measureReads(again, 'steady');
await again.close();
await directory.remove();
