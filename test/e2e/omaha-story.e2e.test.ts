import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoProgram } from '#demo/demo-program.fixture.ts';

test('nodes and machines go through a good and a broken release under one budget', async (t) => {
  const args = ['--story', 'omaha', '--light', '--machines', '30', '--speed', '4'];
  await using demo = await DemoProgram.start(args);
  const code = await demo.ended();
  t.diagnostic(demo.output);
  assert.equal(code, 0, demo.output);
  assert.match(demo.output, /all of both kinds run 2\.0\.0/);
  assert.match(demo.output, /booted 3\.0\.0 and fell back; it is quarantined there/);
  assert.match(demo.output, /nodes, machines updated +5, 30 +0, 0\n/);
});
