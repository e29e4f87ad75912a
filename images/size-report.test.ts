import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeReport } from './size-report.ts';

const layer = (digest: string, megabytes: number) => ({ mediaType: '', digest, size: megabytes * 1e6 });
const built = (name: string, ...layers: ReturnType<typeof layer>[]) => ({
  bill: '',
  archive: { path: '', name, manifest: layer(`sha256:${name}`, 0), layers },
});

test('a layer that both images have is counted once in their sum', () => {
  const report = sizeReport([
    built('operators', layer('base', 40), layer('o', 2)),
    built('agent', layer('base', 40), layer('a', 1)),
  ]);
  const figures = report.split('\n').map((line) => /^(.*?) +(\d+\.\d) MB/.exec(line)?.slice(1));
  assert.deepEqual(figures, [
    ['operators', '42.0'],
    ['agent', '41.0'],
    ['shared layers', '40.0'],
    ['both together', '43.0'],
  ]);
});
