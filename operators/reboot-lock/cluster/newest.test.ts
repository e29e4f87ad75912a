import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '#api/meta.ts';
import { Newest } from './newest.ts';
import { ReadyWatch } from './ready-watch.ts';

const node = (resourceVersion: string, uid = 'u'): Node => ({
  metadata: { name: 'n', uid, resourceVersion },
});

test('our own write counts until the cache has caught up, whatever the number of digits', () => {
  const newest = new Newest<Node>();
  newest.put(node('10'));
  assert.equal(newest.pick(node('9')).metadata.resourceVersion, '10');
  assert.equal(newest.pick(node('11')).metadata.resourceVersion, '11');
  assert.equal(newest.pick(node('9')).metadata.resourceVersion, '9', 'forgotten once the cache was ahead');
});

test('an older answer that arrives late does not replace a newer one', () => {
  const newest = new Newest<Node>();
  newest.put(node('12'));
  newest.put(node('11'));
  assert.equal(newest.pick(node('10')).metadata.resourceVersion, '12');
});

test('an object of the same name and another uid is not mixed up with the old one', () => {
  const newest = new Newest<Node>();
  newest.put(node('12', 'old'));
  assert.equal(newest.pick(node('3', 'new')).metadata.uid, 'new');
});

interface Look {
  status?: 'True' | 'False' | 'Unknown';
  uid?: string;
  bootID?: string;
  since?: string;
}

function look({ status = 'True', uid = 'u', bootID = 'b', since = 't' }: Look = {}): Node {
  const conditions = [{ type: 'Ready', status, lastTransitionTime: since }];
  return { metadata: { name: 'n', uid }, status: { nodeInfo: { bootID }, conditions } };
}

test('readiness is counted from our own first sight of it', () => {
  let clock = 1000;
  const watch = new ReadyWatch(() => clock);
  assert.equal(watch.readyForMs(look()), 0);
  clock += 700;
  assert.equal(watch.readyForMs(look()), 700);
});

for (const [what, change] of [
  ['another boot', { bootID: 'c' }],
  ['a flap between two sights', { since: 'later' }],
  ['another machine under the same name', { uid: 'v' }],
] as const) {
  test(`${what} begins the count anew`, () => {
    let clock = 0;
    const watch = new ReadyWatch(() => clock);
    watch.readyForMs(look());
    clock += 5000;
    assert.equal(watch.readyForMs(look(change)), 0);
  });
}

for (const status of ['False', 'Unknown'] as const) {
  test(`Ready ${status} counts nothing, and Ready after it begins at 0 even with the old transition time`, () => {
    let clock = 0;
    const watch = new ReadyWatch(() => clock);
    watch.readyForMs(look());
    clock += 5000;
    assert.equal(watch.readyForMs(look({ status })), 0);
    assert.equal(watch.readyForMs(look()), 0);
  });
}
