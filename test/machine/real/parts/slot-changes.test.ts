import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REAL_BEHAVIOURS } from './behaviour.ts';
import type { SlotChange } from './slot-change.ts';
import { slotChanges } from './slot-changes.ts';

test('versions differ in what os-release says, and in nothing else', async () => {
  const [one, two] = [await slotChanges('1.0.0', 'ok'), await slotChanges('2.0.0', 'ok')];
  assert.deepEqual(differences(one, two), ['lib/os-release']);
});

test('images that are to fail differ from good ones only in what makes them fail', async () => {
  const good = await slotChanges('1.0.0', 'ok');
  const faulty: Record<string, string[]> = {};
  for (const behaviour of REAL_BEHAVIOURS) {
    const other = differences(good, await slotChanges('1.0.0', behaviour));
    faulty[behaviour] = other.filter((path) => path !== 'lib/careen-test/behaviour');
  }
  assert.deepEqual(faulty, {
    ok: [],
    'no-boot': ['lib/systemd/systemd'],
    hang: ['lib/systemd/systemd'],
    unhealthy: ['lib/systemd/system/containerd.service.d/10-network.conf'],
    'no-kubelet': ['lib/systemd/system/kubelet.service.d/10-runtime.conf'],
  });
});

test('the units of the node are enabled, and none of them is masked', async () => {
  const links = (await slotChanges('1.0.0', 'ok')).filter((change) => 'link' in change);
  const masked = links.filter(({ link }) => link === '/dev/null').map(({ path }) => path.split('/').at(-1));
  for (const unit of ['containerd.service', 'kubelet.service', 'systemd-networkd.service']) {
    assert.ok(links.some(({ path, link }) => path.endsWith(`.wants/${unit}`) && link === `../${unit}`));
    assert.ok(!masked.includes(unit));
  }
});

/** Paths that are not the same in both; later changes hide earlier ones. */
function differences(one: readonly SlotChange[], other: readonly SlotChange[]): string[] {
  const [left, right] = [one, other].map((changes) => {
    return new Map(changes.map((change) => [change.path, JSON.stringify(change)]));
  }) as [Map<string, string>, Map<string, string>];
  return [...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path));
}
