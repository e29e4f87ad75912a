import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { isStoreError } from '../store-error.ts';
import { ask, UNLIMITED } from '../testing/machines.ts';
import { budgetTests } from '../testing/conformance/budget.ts';
import { machineTests } from '../testing/conformance/machines.ts';
import { sweepTests } from '../testing/conformance/sweep.ts';
import { modelTest } from '../testing/model/model-test.ts';
import type { MakeStore } from '../testing/store-under-test.ts';
import { openSqliteStore } from './open-sqlite-store.ts';

const directory = await guardedDirectory('careen-omaha-store-');
after(() => directory.remove());
let files = 0;

const make: MakeStore = async (options = {}) => {
  const file = path.join(directory.path, `machines-${(files += 1)}.db`);
  const store = await openSqliteStore({ file, ...options });
  const reopen = async () => {
    await store.close();
    return openSqliteStore({ file, ...options });
  };
  return { store, reopen };
};

describe('the store in a SQLite file', () => {
  machineTests(make);
  budgetTests(make);
  sweepTests(make);
});

describe('the store in memory', () => {
  test('more requests at once than may wait are refused, and the others answered', async () => {
    const store = await openSqliteStore({ file: ':memory:' });
    const all = await Promise.allSettled(
      Array.from({ length: 20_010 }, (_, id) => ask(store, id, UNLIMITED)),
    );
    const refused = all.filter((one) => one.status === 'rejected');
    assert.equal(refused.length, 10);
    assert.ok(refused.every(({ reason }) => isStoreError(reason, 'Overloaded')));
    assert.equal((await store.group('edge')).inProgress, 20_000);
    await store.close();
  });

  modelTest(async (options = {}) => {
    const store = await openSqliteStore({ file: ':memory:', ...options });
    return { store, reopen: () => openSqliteStore({ file: ':memory:' }) };
  }, 500);
});
