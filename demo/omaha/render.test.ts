import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderOmaha } from './render.ts';
import type { OmahaScene } from './scene.ts';

const scene: OmahaScene = {
  chapter: '2.0.0 is published',
  elapsedMs: 62_000,
  populations: [
    { name: 'nodes', total: 5, versions: { '1.0.0': 3, '2.0.0': 2 }, underWay: 1, away: 1 },
    {
      name: 'update_engine machines',
      total: 200,
      versions: { '1.0.0': 50, '2.0.0': 150 },
      underWay: 9,
      away: 4,
    },
  ],
  budget: 10,
  away: { now: 5, worst: 7 },
  waiting: ['41 machines: MaxStaging', `machine-3: Halted ${'because '.repeat(20)}`],
  halted: '4 of 4 nodes that tried 3.0.0 failed',
};

test('the picture counts both kinds by version, and no line is wider than the terminal', () => {
  const lines = renderOmaha(scene, 100).map(stripVTControlCharacters);
  const text = lines.join('\n');
  assert.match(text, /1\.0\.0 +2\.0\.0 +UNDER WAY +AWAY/);
  assert.match(text, /5 nodes +3 +2 +1 +1/);
  assert.match(text, /200 update_engine machines +50 +150 +9 +4/);
  assert.match(text, /5 now, 7 at most, of both kinds together; 10 may be/);
  assert.match(text, /waiting +41 machines: MaxStaging/);
  assert.match(text, /halted +4 of 4/);
  for (const line of lines) assert.ok(line.length <= 100, line);
});
