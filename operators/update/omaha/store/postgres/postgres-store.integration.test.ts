import { after, describe } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { budgetTests } from '../testing/conformance/budget.ts';
import { machineTests } from '../testing/conformance/machines.ts';
import { sweepTests } from '../testing/conformance/sweep.ts';
import { withoutPostgres } from '../testing/postgres/binaries.ts';
import { startPostgres } from '../testing/postgres/server.ts';
import { modelTest } from '../testing/model/model-test.ts';
import type { MakeStore } from '../testing/store-under-test.ts';
import type { MachineStore } from '../store.ts';
import { openPostgresStore } from './open-postgres-store.ts';

const skip = withoutPostgres();
if (skip !== false) console.log(`the store in PostgreSQL is not tested: ${skip}`);

await describe('the store in PostgreSQL', { skip }, async () => {
  if (skip !== false) return;
  const directory = await guardedDirectory('careen-omaha-postgres-');
  const server = await startPostgres(directory);
  const open: MachineStore[] = [];
  after(async () => {
    await Promise.all(open.map((store) => store.close()));
    await directory.remove();
  });
  let schemas = 0;

  const make: MakeStore = async (options = {}) => {
    const schema = `test_${(schemas += 1)}`;
    const again = async () => {
      const store = await openPostgresStore({ urls: [server.url], schema, poolSize: 2, ...options });
      open.push(store);
      return store;
    };
    const store = await again();
    const reopen = async () => {
      await store.close();
      return again();
    };
    return { store, reopen };
  };

  machineTests(make);
  budgetTests(make);
  sweepTests(make);
  modelTest(make, 15);
});
