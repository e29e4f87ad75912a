import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoProgram } from '#demo/demo-program.fixture.ts';
import { until } from '#test/cluster/until.ts';
import { leavesNothing } from '#test/stack/leaves-nothing.fixture.ts';

test('the demo tells its story to the end without a terminal and exits with 0', async (t) => {
  await using demo = await DemoProgram.start(['--light', '--speed', '4']);
  const code = await demo.ended();
  t.diagnostic(demo.output);
  assert.equal(code, 0, demo.output);
  assert.match(demo.output, /light machines, because you asked/);
  assert.match(demo.output, /every machine runs 3\.0\.1; never more than 2 were unavailable at once/);
  assert.match(demo.output, /wall over ideal/);
});

test('a demo that is killed leaves no process and no directory behind', async () => {
  await using demo = await DemoProgram.start(['--light', '--nodes', '3', '--speed', '4']);
  await until('the rollout is under way', () => demo.output.includes('2.0.0 is published'), {
    timeoutMs: 300_000,
  });
  const made = await demo.directories();
  assert.notEqual(made.length, 0);
  demo.child.kill('SIGKILL');
  await leavesNothing(made, 120_000);
});
