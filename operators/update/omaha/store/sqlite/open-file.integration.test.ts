import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { isStoreError, type StoreErrorCode } from '../store-error.ts';
import { ask, key, UNLIMITED } from '../testing/machines.ts';
import { openSqliteStore } from './open-sqlite-store.ts';

const directory = await guardedDirectory('careen-omaha-file-');
after(() => directory.remove());

function refuses(file: string, code: StoreErrorCode): Promise<void> {
  return assert.rejects(openSqliteStore({ file }), (error) => isStoreError(error, code));
}

describe('the file of the store', () => {
  test('one of a newer release is refused, and left as it is', async () => {
    const file = path.join(directory.path, 'newer.db');
    await openSqliteStore({ file }).then((store) => store.close());
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    await refuses(file, 'InUse').catch(() => {}); // its log may still be open
    database.close();
    await refuses(file, 'SchemaNewer');
    const again = new DatabaseSync(file);
    assert.equal(again.prepare('PRAGMA user_version').get()?.['user_version'], 99);
    again.close();
  });

  test('one of another program is refused, and so is what is no database', async () => {
    const file = path.join(directory.path, 'foreign.db');
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    await refuses(file, 'Foreign');
    const text = path.join(directory.path, 'text.db');
    writeFileSync(text, 'not a database, but long enough to be taken for the beginning of one\n'.repeat(20));
    await refuses(text, 'Foreign');
    await refuses(path.join(directory.path, 'missing', 'machines.db'), 'Unavailable');
  });

  test('one that somebody has open is refused, and opened once it is free', async () => {
    const file = path.join(directory.path, 'shared.db');
    const store = await openSqliteStore({ file });
    await refuses(file, 'InUse');
    await ask(store, 1, UNLIMITED);
    await store.close();
    const other = await openSqliteStore({ file });
    assert.equal((await other.machine(key(1)))?.phase, 'Granted');
    await other.close();
  });
});
