import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStoreError } from '../../store-error.ts';
import { ask, key, MINUTE, NOW, SIGHTING, UNLIMITED } from '../machines.ts';
import type { MakeStore } from '../store-under-test.ts';

/** What every kind of store promises about one machine. */
export function machineTests(make: MakeStore): void {
  test('what a request does not tell stays as an earlier one told it', async () => {
    const { store } = await make();
    await store.contact(key(1), { ...SIGHTING, alias: 'edge-17', oem: 'azure' }, NOW, () => ({}));
    await store.contact(key(1), { ...SIGHTING, alias: '', address: '192.0.2.8' }, NOW + MINUTE, () => ({}));
    const machine = await store.machine(key(1));
    assert.deepEqual(machine, {
      ...SIGHTING,
      ...key(1),
      alias: 'edge-17',
      oem: 'azure',
      address: '192.0.2.8',
      firstSeen: NOW,
      lastSeen: NOW + MINUTE,
      archived: false,
      phase: 'Idle',
      since: NOW,
      failures: [],
    });
    assert.equal(await store.machine(key(2)), undefined);
  });

  test('the decision sees the machine with what it tells now, and its group as it is', async () => {
    const { store } = await make();
    await ask(store, 1, UNLIMITED);
    await store.contact(
      key(1),
      { ...SIGHTING, version: '2.0.0' },
      NOW,
      ({ version, grant, phase }, group) => {
        assert.deepEqual([version, grant?.version, phase], ['2.0.0', '2.0.0', 'Granted']);
        const standings = [{ target: '2.0.0', wave: 0, outcome: 'pending', machines: 1 }];
        const counts = { machines: 1, archived: 0, byPhase: { Granted: 1 }, inProgress: 1, nodes: 0 };
        assert.deepEqual(group, { ...counts, standings });
        return {};
      },
    );
  });

  test('failures are kept by version, and a rollback stays one', async () => {
    const { store } = await make();
    const fail = (version: string, kind: 'install' | 'rollback' | 'vanished', code: number) =>
      store.contact(key(1), SIGHTING, NOW, () => ({ failure: { version, kind, code } }));
    await fail('2.0.0', 'rollback', 44);
    await fail('3.0.0', 'install', 9);
    const { machine } = await fail('2.0.0', 'vanished', 0);
    assert.deepEqual(machine.failures, [
      { version: '2.0.0', kind: 'rollback', code: 0, times: 2, at: NOW },
      { version: '3.0.0', kind: 'install', code: 9, times: 1, at: NOW },
    ]);
    for (let n = 0; n < 20; n += 1) await fail(`4.${n}.0`, 'install', 1);
    assert.equal((await store.machine(key(1)))?.failures.length, 8);
  });

  test('null clears, and what is not said stays', async () => {
    const { store } = await make();
    const hold = { reason: 'Paused', message: 'the group is paused', since: NOW };
    const error = { code: 9, flags: 0, at: NOW };
    const rollout = { target: '2.0.0', wave: 1, outcome: 'pending' } as const;
    await store.contact(key(1), SIGHTING, NOW, () => ({ phase: 'Waiting', hold, error, rollout }));
    const { machine } = await store.contact(key(1), SIGHTING, NOW, () => ({ hold: null, rollout: null }));
    assert.deepEqual([machine.hold, machine.rollout, machine.error], [undefined, undefined, error]);
    assert.deepEqual(await store.machine(key(1)).then((one) => one?.error), error);
  });

  test('a decision that throws is its own request’s end, and changes nothing', async () => {
    const { store } = await make();
    const good = ask(store, 1, UNLIMITED);
    const bad = store.contact(key(2), SIGHTING, NOW, () => {
      throw new RangeError('not so');
    });
    const other = ask(store, 3, UNLIMITED);
    await assert.rejects(bad, RangeError);
    assert.deepEqual([(await good).phase, (await other).phase], ['Granted', 'Granted']);
    assert.equal(await store.machine(key(2)), undefined);
    assert.equal((await store.group('edge')).machines, 2);
  });

  test('what is too long, and a machine too many, are refused', async () => {
    const { store } = await make({ maxMachines: 2 });
    const long = store.contact(key(1), { ...SIGHTING, alias: 'x'.repeat(10_000) }, NOW, () => ({}));
    await assert.rejects(long, (error) => isStoreError(error, 'TooLarge'));
    const all = await Promise.allSettled([1, 2, 3].map((id) => ask(store, id, UNLIMITED)));
    assert.deepEqual(
      all.map((one) => (one.status === 'rejected' && isStoreError(one.reason) ? one.reason.code : '')),
      ['', '', 'Full'],
    );
    assert.equal((await ask(store, 2, UNLIMITED)).phase, 'Granted');
  });

  test('everything is there again after the store was opened again, and a closed one says so', async () => {
    const { store, reopen } = await make();
    await ask(store, 1, { inProgress: 1 });
    const before = [await store.machine(key(1)), await store.group('edge')];
    const reopened = await reopen();
    assert.deepEqual([await reopened.machine(key(1)), await reopened.group('edge')], before);
    assert.equal((await ask(reopened, 2, { inProgress: 1 })).phase, 'Waiting');
    await assert.rejects(ask(store, 3, UNLIMITED), (error) => isStoreError(error, 'Closed'));
  });
}
