import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoProgram } from '#demo/demo-program.fixture.ts';
import { until } from '#test/cluster/until.ts';
import { computerWide } from '#test/machine/real/traces.fixture.ts';
import { leavesNothing } from '#test/stack/leaves-nothing.fixture.ts';

test('on real nodes the demo tells its story to the end, and leaves the computer as it was', async (t) => {
  const before = computerWide();
  await using demo = await DemoProgram.start([]);
  await until('the nodes are up', () => demo.output.includes('machines are Ready'), { timeoutMs: 600_000 });
  const made = await demo.directories();
  const code = await demo.ended();
  t.diagnostic(demo.output);
  assert.equal(code, 0, demo.output);
  assert.match(demo.output, /real nodes: systemd, containerd and kubelet/);
  for (const version of ['2.0.0', '3.0.1']) {
    const all = `every machine runs ${version}; never more than 2 were unavailable at once`;
    assert.ok(demo.output.includes(all), all);
  }
  assert.match(demo.output, /halted: .*BootFailed/);
  assert.match(demo.output, /the leader of the reboot lock handed over \d+ times/);
  assert.match(demo.output, /pods evicted \/ lost +\d+ \/ 0 +\d+ \/ 0 +\d+ \/ 0/);
  await leavesNothing(made, 60_000);
  assert.deepEqual(computerWide(), before);
});

test('a demo that is killed in the middle of a rollout leaves nothing of its nodes', async () => {
  await using demo = await DemoProgram.start(['--nodes', '3']);
  await until('a node reboots', () => demo.output.includes('2.0.0 is published'), { timeoutMs: 600_000 });
  const made = await demo.directories();
  assert.ok(made.some((directory) => directory.includes('careen-nodes-')));
  demo.child.kill('SIGKILL');
  await leavesNothing(made, 180_000);
});
