import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { race } from '../testing/processes/race.ts';
import { Replica } from '../testing/processes/replica.ts';
import { allMachines, assertCounted } from '../testing/recount.ts';
import { openSqliteStore } from './open-sqlite-store.ts';

const directory = await guardedDirectory('careen-omaha-killed-');
after(() => directory.remove());

describe('the store in a SQLite file, in a process that is killed', () => {
  test('nothing that was acknowledged is lost, whenever the process is killed under load', async () => {
    const file = path.join(directory.path, 'machines.db');
    const known = new Map<number, number>();
    for (let round = 1; round <= 6; round += 1) {
      const replica = await Replica.start({ file });
      for (let order = 0; order < 40; order += 1) {
        const version = `1.${round}.${order}`;
        replica.order({ group: 'edge', version, first: 0, last: 199, inProgress: 17 });
      }
      await until('something is acknowledged', () => replica.answers.length > 0);
      await sleep(Math.random() * 400);
      await replica.kill();
      for (const { id, version } of replica.answers)
        if (id !== undefined) known.set(id, versionNumber(version));
      await compare(file, known);
    }
    assert.ok(known.size > 0, 'something was acknowledged before the kills');
  });

  test('budgets hold in a race of machines, over kills', async () => {
    const file = path.join(directory.path, 'race.db');
    const count = () => openSqliteStore({ file });
    const result = await race({ where: { file }, count, replicas: 1, trials: 300, killEvery: 100 });
    assert.deepEqual(result, { trials: 300, overshoots: 0, lost: 0, kills: 3 });
  });
});

/** The file has at least what was acknowledged, and counts right. */
async function compare(file: string, known: ReadonlyMap<number, number>): Promise<void> {
  const store = await openSqliteStore({ file });
  const machines = await allMachines(store, 'edge');
  const found = new Map(machines.map(({ id, version }) => [Number(id.slice(1)), versionNumber(version)]));
  for (const [id, version] of known) assert.ok((found.get(id) ?? -1) >= version, `machine ${id}`);
  await assertCounted(store, 'edge');
  assert.ok((await store.group('edge')).inProgress <= 17);
  await store.close();
}

function versionNumber(version: string): number {
  const [, round = 0, order = 0] = version.split('.').map(Number);
  return round * 1000 + order;
}
