import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { MirrorError } from './mirror-error.ts';
import { MirrorMetrics } from './mirror-metrics.ts';

/** All series that are not 0, but the limit. */
async function shown(registry: Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines
    .filter((line) => /^careen_mirror_.* (?!0$)/.test(line) && !line.includes('limit'))
    .map((line) => line.slice('careen_mirror_'.length))
    .toSorted();
}

test('the mirror counts what it fetched, served, dropped and found to be wrong', async () => {
  const registry = new Registry();
  const metrics = new MirrorMetrics(registry, 1000);
  assert.match(await registry.metrics(), /^careen_mirror_limit_bytes 1000$/m);
  assert.deepEqual(await shown(registry), []);
  for (const status of [200, 206, 304, 404, 405, 416, 503]) metrics.answered({ status, bytes: 10 });
  metrics.received(70);
  metrics.fetched();
  metrics.fetched(new MirrorError('KeyUnknown', 'of nobody'));
  metrics.fetched(new MirrorError('Unreachable', 'away'));
  metrics.corrupt();
  metrics.evicted();
  const file = { name: 'a.gz', sha256: 'f'.repeat(64), size: 21 };
  metrics.held([{ digest: file.sha256, version: '1.0.0', variant: 'amd64', key: 'k', files: [file, file] }]);
  assert.deepEqual(await shown(registry), [
    'bytes 42',
    'evictions_total 1',
    'fetched_bytes_total 70',
    'fetches_total{result="failed"} 2',
    'fetches_total{result="held"} 1',
    'releases 1',
    'requests_total{result="hit"} 3',
    'requests_total{result="miss"} 1',
    'requests_total{result="refused"} 2',
    'requests_total{result="unavailable"} 1',
    'served_bytes_total 70',
    'verification_failures_total{code="KeyUnknown"} 1',
    'verification_failures_total{code="StoredCorrupt"} 1',
  ]);
});
