import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesAt, filesOfKind, kindOf } from './kind.ts';

test('the kind of a test is told by its name', () => {
  assert.equal(kindOf('runtime/queue/queue.test.ts'), 'unit');
  assert.equal(kindOf('runtime/queue/queue.adversarial.test.ts'), 'unit');
  assert.equal(kindOf('test/cluster/cluster.integration.test.ts'), 'integration');
  assert.equal(kindOf('test/e2e/rollout.e2e.test.ts'), 'e2e');
  assert.equal(kindOf('test/chaos/leader.chaos.test.ts'), 'e2e');
  assert.equal(kindOf('test/nodes/story.nodes.test.ts'), 'nodes');
  assert.equal(kindOf('test/nodes/story.config-nodes.test.ts'), 'config-nodes');
  assert.equal(kindOf('test/cluster/cluster.ts'), undefined);
});

test('files are found by kind, and by a path to them or above them', () => {
  const files = ['b/x.test.ts', 'a/x.test.ts', 'a/x.integration.test.ts', 'ab/y.test.ts'];
  assert.deepEqual(filesOfKind(files, 'unit'), ['a/x.test.ts', 'ab/y.test.ts', 'b/x.test.ts']);
  assert.deepEqual(filesAt(files, './a/'), ['a/x.test.ts', 'a/x.integration.test.ts']);
  assert.deepEqual(filesAt(files, 'ab/y.test.ts'), ['ab/y.test.ts']);
  assert.deepEqual(filesAt(files, 'c'), []);
});
