import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoProgram } from '#demo/demo-program.fixture.ts';

test('on real nodes the demo configures machines, heals them, and undoes a change that cuts one off', async (t) => {
  await using demo = await DemoProgram.start(['--story', 'config', '--nodes', '3']);
  const code = await demo.ended();
  t.diagnostic(demo.output);
  assert.equal(code, 0, demo.output);
  assert.match(demo.output, /halted: .*(ProbeFailed|NotConfirmed)/);
  assert.match(demo.output, /none was rebooted in all that/);
  assert.match(demo.output, /idle: careen wrote nothing/);
});
