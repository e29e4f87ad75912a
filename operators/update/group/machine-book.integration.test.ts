import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { nodeGroupSpec } from '#api/node-group.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import type { MachineStore } from '../omaha/store/store.ts';
import { openSqliteStore } from '../omaha/store/sqlite/open-sqlite-store.ts';
import { key, NOW, offer, SIGHTING } from '../omaha/store/testing/machines.ts';
import { MachineBook } from './machine-book.ts';

const GROUP = 'edge';
const omaha = { appID: 'os', tracks: ['stable'] };
const spec = { nodeSelector: {}, update: { channel: 'stable', omaha, rollout: { maxStaging: 2 } } };
const policy = nodeGroupSpec.parse(spec).update;

/** Whether the machine holds a place after it has asked for one. */
async function asks(store: MachineStore, machine: number): Promise<boolean> {
  const told = { ...SIGHTING, group: GROUP };
  const limits = { inProgress: 2 };
  const { machine: after } = await store.contact(key(machine), told, NOW, () => offer('2.0.0', NOW, limits));
  return after.grant !== undefined;
}

async function ends(store: MachineStore, machine: number): Promise<void> {
  await store.contact(key(machine), { ...SIGHTING, group: GROUP }, NOW, () => ({ phase: 'Complete' }));
}

test('a node that waits for a place gets the next one, however many machines ask meanwhile', async () => {
  assert.ok(policy !== undefined);
  const directory = await guardedDirectory('careen-book-');
  const store = await openSqliteStore({ file: path.join(directory.path, 'machines.db') });
  const book = new MachineBook(store);
  const places = (held: number, more: number) => book.places(GROUP, policy, 10, { held, more }, NOW);
  assert.deepEqual([await asks(store, 1), await asks(store, 2)], [true, true]);
  assert.equal(await places(0, 3), 0);
  await ends(store, 1);
  assert.equal(await asks(store, 3), false, 'a machine took the place that a node waited for');
  assert.equal(await places(0, 3), 1);
  await ends(store, 2);
  assert.equal(await asks(store, 3), false, 'a machine took the place that a node waited for');
  assert.equal(await places(1, 2), 1);
  // No node waits any more: what comes free is anybody's.
  assert.equal(await places(1, 0), 0);
  assert.equal(await asks(store, 3), true);
  await store.close();
  await directory.remove();
});
