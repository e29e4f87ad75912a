import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { backoffMs } from './backoff.ts';
import { WorkQueue } from './queue.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the work queue', () => {
  it('hands out keys in order, each once however often it was added', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.equal(queue.length, 3);
    assert.deepEqual([await queue.take(), await queue.take(), await queue.take()], ['a', 'b', 'c']);
  });

  it('does not hand out a key that is being worked on, and hands it out again afterwards', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    let second: string | undefined;
    const taken = queue.take().then((key) => (second = key));
    await tick();
    assert.equal(second, undefined);
    queue.done('a');
    await taken;
    assert.equal(second, 'a');
  });

  it('adds a key later, at the earliest of several wishes', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const queue = new WorkQueue();
    queue.addAfter('a', 60_000);
    queue.addAfter('a', 1000);
    queue.addAfter('a', 5000);
    t.mock.timers.tick(999);
    assert.equal(queue.length, 0);
    t.mock.timers.tick(1);
    assert.equal(queue.length, 1);
    await queue.take();
    t.mock.timers.tick(120_000);
    queue.done('a');
    assert.equal(queue.length, 0);
  });

  it('waits longer after each failure until the key is forgotten', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const queue = new WorkQueue({ backoff: { baseMs: 100, maxMs: 1000 }, random: () => 1 });
    const delays = [1, 2, 3, 4, 5, 6].map(() => queue.addFailed('a'));
    assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
    queue.forget('a');
    assert.equal(queue.addFailed('a'), 100);
    queue.close();
  });

  it('gives every taker undefined once it is closed', async () => {
    const queue = new WorkQueue();
    const waiting = queue.take();
    queue.addAfter('late', 10);
    queue.close();
    queue.add('a');
    assert.equal(await waiting, undefined);
    assert.equal(await queue.take(), undefined);
  });

  it('never works on a key twice at once and loses no addition, whatever the order of things', async () => {
    const action = fc.record({ key: fc.constantFrom('a', 'b', 'c'), steps: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (actions, workers) => {
          const queue = new WorkQueue();
          const active = new Set<string>();
          /** The number of additions that were made when the last run of a key began. */
          const seen = new Map<string, number>();
          const added = new Map<string, number>();
          const work = async (): Promise<void> => {
            for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
              assert.ok(!active.has(key), `${key} was handed out twice`);
              active.add(key);
              seen.set(key, added.get(key) ?? 0);
              await tick();
              active.delete(key);
              queue.done(key);
            }
          };
          const running = Array.from({ length: workers }, work);
          for (const { key, steps } of actions) {
            added.set(key, (added.get(key) ?? 0) + 1);
            queue.add(key);
            for (let step = 0; step < steps; step += 1) await tick();
          }
          while (queue.length > 0 || active.size > 0) await tick();
          queue.close();
          await Promise.all(running);
          assert.deepEqual(seen, added);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('back-off', () => {
  it('stays between half and the whole of the doubled delay, and below the maximum', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), share, (failures, random) => {
        const delay = backoffMs(failures, { baseMs: 50, maxMs: 60_000 }, random);
        const whole = Math.min(60_000, 50 * 2 ** (failures - 1));
        return delay >= whole / 2 && delay <= whole;
      }),
    );
  });
});
