import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MakeStore } from '../store-under-test.ts';
import { ask, DAY, key, MINUTE, NOW, offer, SIGHTING, sweepAll, UNLIMITED } from '../machines.ts';

/** What every kind of store promises about budgets. */
export function budgetTests(make: MakeStore): void {
  test('no more machines are granted than may be, however many ask at once', async () => {
    const { store } = await make();
    const machines = await Promise.all(
      Array.from({ length: 300 }, (_, id) => ask(store, id, { inProgress: 7 })),
    );
    assert.equal(machines.filter(({ grant }) => grant !== undefined).length, 7);
    const { inProgress, byPhase, holds } = await store.group('edge');
    assert.deepEqual([inProgress, byPhase, holds], [7, { Granted: 7, Waiting: 293 }, { inProgress: 293 }]);
  });

  test('a granted machine that asks again gets the same grant', async () => {
    const { store } = await make();
    const first = await ask(store, 1, { inProgress: 1 });
    await ask(store, 2, { inProgress: 1 });
    const again = await ask(store, 1, { inProgress: 0 }, NOW + MINUTE);
    assert.deepEqual(again.grant, { ...first.grant, deadline: NOW + 61 * MINUTE });
    assert.equal((await store.group('edge')).inProgress, 1);
  });

  test('a place that is given back is the next machine’s', async () => {
    const { store } = await make();
    await ask(store, 1, { inProgress: 1 });
    assert.equal((await ask(store, 2, { inProgress: 1 })).phase, 'Waiting');
    const ended = { ...SIGHTING, version: '2.0.0' };
    const { machine } = await store.contact(key(1), ended, NOW, () => ({ phase: 'Complete' }));
    assert.deepEqual([machine.phase, machine.grant], ['Complete', undefined]);
    const next = await ask(store, 2, { inProgress: 1 });
    assert.deepEqual([next.phase, next.hold, next.grant?.version], ['Granted', undefined, '2.0.0']);
  });

  test('a machine that ends one step takes its own place for the next', async () => {
    const { store } = await make();
    await ask(store, 1, { inProgress: 1 });
    const { machine } = await store.contact(key(1), SIGHTING, NOW, () => ({
      ...offer('3.0.0', NOW, { inProgress: 1 }),
      phase: 'Complete',
    }));
    assert.deepEqual([machine.phase, machine.grant?.version], ['Granted', '3.0.0']);
    assert.equal((await store.group('edge')).inProgress, 1);
  });

  test('nodes of the cluster take places of the same budget', async () => {
    const { store } = await make();
    const limits = { inProgress: 5 };
    await Promise.all([ask(store, 1, limits), ask(store, 2, limits)]);
    assert.equal(await store.holdNodes('edge', 1, 9, limits, NOW), 2);
    assert.equal((await ask(store, 3, limits)).phase, 'Waiting');
    assert.equal(await store.holdNodes('edge', 1, 0, limits, NOW), 0);
    const later = await Promise.all([3, 4, 5].map((id) => ask(store, id, limits)));
    assert.deepEqual(
      later.map(({ phase }) => phase),
      ['Granted', 'Granted', 'Waiting'],
    );
    assert.equal((await store.group('edge')).nodes, 1);
  });

  test('a period takes only so many starts, and slides', async () => {
    const { store } = await make();
    const limits = { inProgress: 100, period: { count: 2, ms: 10 * MINUTE } };
    const granted = async (id: number, minute: number) =>
      (await ask(store, id, limits, NOW + minute * MINUTE)).grant !== undefined;
    assert.deepEqual([await granted(1, 0), await granted(2, 4), await granted(3, 8)], [true, true, false]);
    assert.deepEqual(
      [await granted(3, 9.9), await granted(3, 10), await granted(4, 11)],
      [false, true, false],
    );
    assert.equal(await store.holdNodes('edge', 0, 9, limits, NOW + 15 * MINUTE), 1);
    assert.equal(await granted(5, 16), false);
  });

  test('a clock that was ahead keeps a period full no longer than the period', async () => {
    const { store } = await make();
    const limits = { inProgress: 9, period: { count: 1, ms: 10 * MINUTE } };
    await ask(store, 1, limits, NOW + 365 * DAY);
    await sweepAll(store, NOW);
    assert.equal((await ask(store, 2, limits, NOW + 9 * MINUTE)).phase, 'Waiting');
    assert.equal((await ask(store, 2, limits, NOW + 10 * MINUTE)).phase, 'Granted');
  });

  test('many starts in a period are counted in one transaction too', async () => {
    const { store } = await make();
    const limits = { inProgress: 1000, period: { count: 40, ms: 10 * MINUTE } };
    for (const minute of [0, 5, 10]) {
      const ids = Array.from({ length: 60 }, (_, index) => minute * 100 + index);
      await Promise.all(ids.map((id) => ask(store, id, limits, NOW + minute * MINUTE)));
    }
    assert.equal((await store.group('edge')).inProgress, 80);
  });

  test('the machine that fails the target for the last time that is tolerated shuts it for the next', async () => {
    const { store } = await make();
    const limits = { inProgress: 9, failures: { target: '2.0.0', count: 1 } };
    await ask(store, 1, limits);
    const rollout = { target: '2.0.0', wave: 0, outcome: 'failed' } as const;
    await store.contact(key(1), SIGHTING, NOW, () => ({ phase: 'Failed', rollout }));
    const { full } = await store.contact(key(2), SIGHTING, NOW, () => offer('2.0.0', NOW, limits));
    assert.equal(full, 'failures');
    assert.equal((await ask(store, 3, UNLIMITED)).phase, 'Granted');
  });

  test('a grant that goes to another group with its machine is counted there, and asked for anew', async () => {
    const { store } = await make();
    const elsewhere = { ...SIGHTING, group: 'core' };
    await ask(store, 1, { inProgress: 1 });
    const kept = await store.contact(key(1), elsewhere, NOW, () => ({}));
    assert.equal(kept.machine.phase, 'Granted');
    assert.deepEqual(
      [(await store.group('edge')).inProgress, (await store.group('core')).inProgress],
      [0, 1],
    );
    assert.equal((await ask(store, 1, { inProgress: 0 })).phase, 'Waiting');
    assert.deepEqual(
      [(await store.group('edge')).inProgress, (await store.group('core')).inProgress],
      [0, 0],
    );
  });
}
