import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, DAY, key, MINUTE, NOW, POLICY, SIGHTING, sweepAll, UNLIMITED } from '../machines.ts';
import type { MakeStore } from '../store-under-test.ts';

/** What every kind of store promises about what time does. */
export function sweepTests(make: MakeStore): void {
  test('a machine that vanishes gives its place back after the deadline, and has failed', async () => {
    const { store } = await make();
    await Promise.all([1, 2].map((id) => ask(store, id, UNLIMITED)));
    assert.equal((await sweepAll(store, NOW + 60 * MINUTE)).expired, 0);
    await store.contact(key(2), { ...SIGHTING, version: '2.0.0' }, NOW, () => ({ phase: 'Complete' }));
    const { expired, groups } = await sweepAll(store, NOW + 61 * MINUTE);
    assert.deepEqual([expired, groups], [1, ['edge']]);
    const machine = await store.machine(key(1));
    assert.deepEqual(
      [machine?.phase, machine?.grant, machine?.rollout?.outcome],
      ['Failed', undefined, 'failed'],
    );
    assert.deepEqual(machine?.failures[0]?.kind, 'vanished');
    assert.equal((await store.group('edge')).inProgress, 0);
    assert.equal((await sweepAll(store, NOW + 62 * MINUTE)).expired, 0);
  });

  test('more expire than are taken up at once', async () => {
    const { store } = await make();
    await Promise.all(Array.from({ length: 450 }, (_, id) => ask(store, id, UNLIMITED)));
    assert.equal((await sweepAll(store, NOW + DAY)).expired, 450);
    assert.deepEqual((await store.group('edge')).byPhase, { Failed: 450 });
  });

  test('a silent machine is archived, fails what waits for it, and comes back by asking', async () => {
    const { store } = await make();
    const rollout = { target: '2.0.0', wave: 0, outcome: 'pending' } as const;
    await store.contact(key(1), SIGHTING, NOW, () => ({ rollout }));
    await ask(store, 2, UNLIMITED, NOW + 3 * DAY);
    assert.equal((await sweepAll(store, NOW + 8 * DAY)).archived, 1);
    const { machines, archived, standings, versions } = await store.group('edge');
    assert.deepEqual([machines, archived, versions], [1, 1, { '1.0.0': 1 }]);
    assert.deepEqual(standings, [{ target: '2.0.0', wave: 0, outcome: 'failed', machines: 2 }]);
    assert.deepEqual(
      await store.machines({ group: 'edge', archived: true, limit: 9 }).then((all) => all.length),
      1,
    );
    await store.contact(key(1), SIGHTING, NOW + 9 * DAY, () => ({ rollout }));
    assert.deepEqual([(await store.group('edge')).machines, (await store.group('edge')).archived], [2, 0]);
  });

  test('an archived machine is forgotten, and the room that it took is free', async () => {
    const { store } = await make({ maxMachines: 1 });
    await ask(store, 1, UNLIMITED);
    assert.equal((await sweepAll(store, NOW + 8 * DAY)).archived, 1);
    assert.equal((await sweepAll(store, NOW + 31 * DAY)).forgotten, 1);
    assert.equal(await store.machine(key(1)), undefined);
    assert.deepEqual((await store.group('edge')).standings, []);
    assert.equal((await ask(store, 2, UNLIMITED)).phase, 'Granted');
  });

  test('history is read backwards in pages, of a group or a machine, and is bounded by age and number', async () => {
    const { store } = await make();
    for (let id = 0; id < 30; id += 1) await ask(store, id, UNLIMITED, NOW + id * DAY);
    const first = await store.history({ group: 'edge', limit: 40 });
    const rest = await store.history({ group: 'edge', before: first.at(-1)?.sequence, limit: 40 });
    assert.deepEqual([first.length, rest.length, first[0]?.kind], [40, 20, 'FirstSeen']);
    assert.ok(
      first.every(({ sequence }, index) => index === 0 || sequence < (first[index - 1]?.sequence ?? 0)),
    );
    const ofOne = await store.history({ machine: key(7), limit: 9 });
    assert.deepEqual(
      ofOne.map(({ kind, version, at }) => [kind, version, at]),
      [
        ['FirstSeen', undefined, NOW + 7 * DAY],
        ['Granted', '2.0.0', NOW + 7 * DAY],
      ],
    );
    const policy = { ...POLICY, silentMs: 999 * DAY, forgetMs: 999 * DAY, historyMs: 20 * DAY };
    await sweepAll(store, NOW + 29 * DAY, { ...policy, expired: () => ({ history: [] }) });
    assert.equal((await store.history({ limit: 1000 })).length, 42);
    await sweepAll(store, NOW + 29 * DAY, { ...policy, historyRecords: 10 });
    assert.ok((await store.history({ limit: 1000 })).length <= 10);
  });

  test('samples tell how versions and phases were spread', async () => {
    const { store } = await make();
    await ask(store, 1, UNLIMITED);
    await sweepAll(store, NOW + MINUTE);
    await ask(store, 2, UNLIMITED);
    await sweepAll(store, NOW + 2 * MINUTE);
    await sweepAll(store, NOW + 16 * MINUTE);
    assert.deepEqual(await store.timeline('edge', NOW, NOW + DAY), [
      { at: NOW, versions: { '1.0.0': 1 }, phases: { Granted: 1 } },
      { at: NOW + 15 * MINUTE, versions: { '1.0.0': 2 }, phases: { Granted: 2 } },
    ]);
  });

  test('machines are listed by group, phase, version and standing, in pages', async () => {
    const { store } = await make();
    await Promise.all(Array.from({ length: 25 }, (_, id) => ask(store, id, { inProgress: 10 })));
    const waiting = await store.machines({ group: 'edge', phase: 'Waiting', limit: 10 });
    const more = await store.machines({ group: 'edge', phase: 'Waiting', after: waiting.at(-1), limit: 10 });
    assert.deepEqual([waiting.length, more.length], [10, 5]);
    assert.deepEqual(waiting[0]?.hold?.reason, 'inProgress');
    const pending = { target: '2.0.0', outcome: 'pending' };
    const standing = await store.machines({ group: 'edge', standing: pending, version: '1.0.0', limit: 99 });
    assert.equal(standing.length, 25);
    const pages = await Array.fromAsync(store.keys('edge'));
    assert.deepEqual(
      pages.flat(),
      Array.from({ length: 25 }, (_, id) => key(id)),
    );
    assert.deepEqual(await store.groups(), ['edge']);
  });
}
