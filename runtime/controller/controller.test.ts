import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { until } from '#test/cluster/until.ts';
import { createLogger } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { Controller, type Reconcile, TerminalError } from './controller.ts';

const log = createLogger({ name: 'test' });
log.silent = true;

interface Run {
  controller: Controller;
  metrics: Metrics;
  stop(): Promise<void>;
}

function run(reconcile: Reconcile, workers = 1): Run {
  const metrics = new Metrics({ process: false });
  const backoff = { baseMs: 1, maxMs: 10 };
  const controller = new Controller({ name: 'test', reconcile, workers, log, metrics, backoff });
  const ending = new AbortController();
  const running = controller.run(ending.signal);
  return { controller, metrics, stop: () => (ending.abort(), running) };
}

async function count({ metrics }: Run, result: string): Promise<number> {
  const found = await metrics.registry.getSingleMetric('controller_runtime_reconcile_total')?.get();
  return found?.values.find(({ labels }) => labels['result'] === result)?.value ?? 0;
}

describe('the controller', () => {
  it('runs what was enqueued, also before it started', async () => {
    const keys: string[] = [];
    const reconcile = async (key: string): Promise<void> => void keys.push(key);
    const controller = new Controller({ name: 'test', reconcile, log });
    controller.enqueue('early');
    const ending = new AbortController();
    const running = controller.run(ending.signal);
    controller.enqueue('late');
    await until('both ran', () => keys.length === 2);
    ending.abort();
    await running;
    assert.deepEqual(keys, ['early', 'late']);
  });

  it('comes back after an error, with a growing delay, until it succeeds', async () => {
    let runs = 0;
    const scene = run(async () => {
      runs += 1;
      if (runs < 4) throw new Error('not yet');
    });
    scene.controller.enqueue('a');
    await until('it succeeded', async () => (await count(scene, 'success')) === 1);
    assert.equal(runs, 4);
    assert.equal(await count(scene, 'error'), 3);
    await scene.stop();
  });

  it('leaves a terminal error alone until something changes', async () => {
    let runs = 0;
    const scene = run(async () => {
      runs += 1;
      throw new TerminalError('no such time zone');
    });
    scene.controller.enqueue('a');
    await until('it ran', () => runs === 1);
    scene.controller.enqueue('a');
    await until('it ran again', () => runs === 2);
    scene.controller.enqueue('b');
    await until('the other ran', () => runs === 3);
    await scene.stop();
    assert.equal(runs, 3);
  });

  it('comes back when it asked to', async () => {
    let runs = 0;
    const scene = run(async () => {
      runs += 1;
      return runs < 3 ? { requeueAfterMs: 5 } : undefined;
    });
    scene.controller.enqueue('a');
    await until('it ran three times', () => runs === 3);
    assert.equal(await count(scene, 'requeue_after'), 2);
    await scene.stop();
  });

  it('works on several keys at once, on one key never twice at once', async () => {
    const active = new Set<string>();
    let most = 0;
    let runs = 0;
    const scene = run(async (key) => {
      assert.ok(!active.has(key));
      active.add(key);
      most = Math.max(most, active.size);
      await new Promise((resolve) => setTimeout(resolve, 5));
      active.delete(key);
      runs += 1;
    }, 3);
    for (const key of ['a', 'a', 'b', 'c', 'd', 'a', 'b']) scene.controller.enqueue(key);
    await until('all ran', () => runs >= 4 && active.size === 0);
    assert.equal(most, 3);
    assert.equal(await count(scene, 'error'), 0);
    await scene.stop();
  });

  it('tells the run under way to stop, and waits for it', async () => {
    let ended = false;
    const scene = run(async (_key, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended = true;
      throw new Error('interrupted');
    });
    scene.controller.enqueue('a');
    await until('it runs', () => scene.controller.busyMs() > 0);
    await scene.stop();
    assert.ok(ended);
    assert.equal(await count(scene, 'error'), 0);
    assert.equal(scene.controller.busyMs(), 0);
  });

  it('marks every line with the controller, the key and a reconcileID of that run', async () => {
    const lines: Record<string, string>[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        lines.push(JSON.parse(chunk.toString()) as Record<string, string>);
        callback();
      },
    });
    const own = createLogger({ name: 'test', stream });
    const ending = new AbortController();
    const controller = new Controller({
      name: 'nodes',
      log: own,
      reconcile: async (_key, { log: each }) => {
        each.info('one');
        each.info('two');
      },
    });
    const running = controller.run(ending.signal);
    controller.enqueue('n1');
    controller.enqueue('n2');
    await until('all is logged', () => lines.length === 4);
    ending.abort();
    await running;
    assert.deepEqual([lines[0]?.['controller'], lines[0]?.['key']], ['nodes', 'n1']);
    assert.equal(lines[0]?.['reconcileID'], lines[1]?.['reconcileID']);
    assert.notEqual(lines[1]?.['reconcileID'], lines[2]?.['reconcileID']);
  });
});
