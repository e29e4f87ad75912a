import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { busyCheck, freshCheck, Health } from './health.ts';
import { parseAddress, serveHealth } from './server.ts';

const log = createLogger({ name: 'test', level: 'error' });

describe('health', () => {
  it('is served over HTTP, with the failed checks by name', async () => {
    const health = new Health();
    const metrics = new Metrics({ process: false });
    const server = await serveHealth({ address: '127.0.0.1:0', health, registry: metrics.registry, log });
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()];
    };
    try {
      assert.deepEqual(await get('/healthz'), [200, 'ok\n']);
      health.live('nodes', () => 'not heard of the API server for 400 s');
      health.ready('throws', () => {
        throw new Error('oops');
      });
      assert.deepEqual(await get('/healthz'), [503, 'nodes: not heard of the API server for 400 s\n']);
      assert.deepEqual(await get('/readyz?verbose'), [503, 'throws: the check failed: oops\n']);
      assert.equal((await get('/nothing'))[0], 404);
      metrics.controller('nodes', 1).reconciled('success', 0.1);
      const [, text] = await get('/metrics');
      assert.match(text, /controller_runtime_reconcile_total\{controller="nodes",result="success"\} 1/);
      assert.match(text, /workqueue_depth/);
    } finally {
      await server.close();
    }
  });

  it('notices a watch that was silent for too long, and a reconcile that does not end', () => {
    assert.equal(freshCheck({ ageMs: () => 1000 }, 5000)(), undefined);
    assert.equal(freshCheck({ ageMs: () => Infinity }, 5000)(), undefined, 'a start takes its time');
    assert.match(freshCheck({ ageMs: () => 9000 }, -1)() ?? '', /not heard/);
    assert.equal(busyCheck({ busyMs: () => 10 }, 1000)(), undefined);
    assert.match(busyCheck({ busyMs: () => 2000 }, 1000)() ?? '', /2 s/);
  });

  it('understands addresses as Go writes them', () => {
    assert.deepEqual(parseAddress(':8080'), { host: undefined, port: 8080 });
    assert.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 });
    assert.throws(() => parseAddress('8080'), RangeError);
    assert.throws(() => parseAddress('a:99999'), RangeError);
  });
});
