import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CORDON_ANNOTATION } from '#api/group.ts';
import type { Node } from '#api/meta.ts';
import { PHASES } from '#api/node-state.ts';
import { clusterOf, snapshotOf } from '../simulation/cluster-of.ts';
import { CONDITION_TYPES, isOurs, ourConditions, sameConditions, wantedConditions } from './condition.ts';

/** A node of every kind. */
const kinds = fc.record({
  phase: fc.constantFrom(...PHASES),
  marked: fc.boolean(),
  grant: fc.constantFrom('none', 'open', 'spent'),
  lostState: fc.boolean(),
});

function typesOf({
  phase,
  marked,
  grant,
  lostState,
}: typeof kinds extends fc.Arbitrary<infer T> ? T : never) {
  const { world } = clusterOf(1);
  world.editNode('n0', (node) => {
    node.spec = { unschedulable: marked };
    node.metadata.annotations = marked ? { [CORDON_ANNOTATION]: 'me@2026-11-21T10:00:00Z' } : {};
    if (grant === 'spent') node.status = { ...node.status, nodeInfo: { bootID: 'n0-2' } };
  });
  world.editState('n0', (state) => {
    const at = world.iso();
    const open = { id: '1/a', nodeUID: 'uid-n0', bootID: 'n0-1', notAfter: at, mode: 'reboot' as const };
    state.spec = grant === 'none' ? {} : { reboot: { grant: open } };
    state.status = { bootID: 'n0-1', update: { phase, since: at } };
  });
  if (lostState) world.states.delete('n0');
  const [node] = snapshotOf(world).nodes;
  assert.ok(node);
  return wantedConditions(node).map(({ type }) => type);
}

test('a node says what careen does with it exactly while careen holds it, in one of two ways', () => {
  const draining = ['MaintenancePlanned', 'DrainInProgress'];
  const down = ['MaintenancePlanned', 'Drained', 'MaintenanceInProgress'];
  fc.assert(
    fc.property(kinds, (kind) => {
      const types = typesOf(kind);
      if (!kind.marked) return assert.deepEqual(types, []);
      const gone =
        !kind.lostState &&
        (kind.grant !== 'none' || ['Arming', 'Rebooting', 'Verifying'].includes(kind.phase));
      assert.deepEqual(types, gone ? down : draining);
    }),
    { numRuns: 1000 },
  );
});

const OTHERS = [
  { type: 'Ready', status: 'True', reason: 'KubeletReady' },
  { type: 'Drained', status: 'True', reason: 'NodeMaintenance' },
  { type: 'Ready', status: 'True', reason: 'CareenSays' },
  { type: 'Drained', status: 'True' },
] as const;

test('only conditions of the four types with a reason of ours are ours', () => {
  for (const other of OTHERS) assert.equal(isOurs(other), false, JSON.stringify(other));
  const own = CONDITION_TYPES.map((type) => ({ type, status: 'True' as const, reason: 'CareenX' }));
  const node: Node = { metadata: { name: 'n' }, status: { conditions: [...OTHERS, ...own] } };
  assert.deepEqual(ourConditions(node), own);
});

test('order, times and messages make no difference that is worth a write; status and reason do', () => {
  const one = { type: 'Drained', status: 'True', reason: 'CareenDrained', message: 'x' } as const;
  const two = { type: 'MaintenancePlanned', status: 'True', reason: 'CareenReboot', message: 'y' } as const;
  assert.equal(sameConditions([one, two], [two, { ...one, message: 'z' }]), true);
  assert.equal(sameConditions([one], [{ ...one, status: 'False' }]), false);
  assert.equal(sameConditions([one], [{ ...one, reason: 'CareenOther' }]), false);
  assert.equal(sameConditions([one], []), false);
});
