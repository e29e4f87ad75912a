import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nodeGroupSpec } from '#api/node-group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { matches } from '#api/selector.ts';
import { membershipOf } from './membership.ts';
import { MembershipIndex } from './membership-index.ts';

function group(name: string, matchLabels: Record<string, string>, priority = 0): NodeGroup {
  const spec = nodeGroupSpec.parse({ nodeSelector: { matchLabels }, priority });
  return { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeGroup', metadata: { name }, spec };
}

test('the highest priority wins, a tie at the top is a conflict that names all, a tie below it is not', () => {
  const groups = [group('a', {}, 1), group('b', { zone: 'x' }, 5), group('c', {}, 1)];
  assert.deepEqual(membershipOf({ zone: 'x' }, groups), { in: 'group', group: 'b' });
  assert.deepEqual(membershipOf({}, groups), { in: 'conflict', groups: ['a', 'c'] });
  assert.deepEqual(membershipOf({}, [group('b', { zone: 'x' })]), { in: 'none' });
});

const labels = fc.dictionary(fc.constantFrom('zone', 'pool'), fc.constantFrom('x', 'y'));
const groups = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), labels, priority: fc.integer({ min: 0, max: 2 }) }),
  {
    selector: ({ name }) => name,
  },
);
const change = fc.oneof(
  fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), labels: fc.option(labels, { nil: undefined }) }),
  fc.record({ groups }),
);

test('the index says after any changes what looking at everything anew would say', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const index = new MembershipIndex();
      const nodes = new Map<string, Record<string, string>>();
      let all: NodeGroup[] = [];
      for (const one of changes) {
        if ('groups' in one) {
          all = one.groups.map(({ name, labels, priority }) => group(name, labels, priority));
          index.setGroups(all);
        } else {
          if (one.labels === undefined) nodes.delete(one.node);
          else nodes.set(one.node, one.labels);
          index.setNode(one.node, one.labels);
        }
      }
      for (const [node, have] of nodes) assert.deepEqual(index.of(node), membershipOf(have, all));
      for (const { metadata, spec } of all) {
        const members = [...nodes].filter(([node]) => {
          const membership = index.of(node);
          return membership.in === 'group' && membership.group === metadata.name;
        });
        assert.deepEqual(index.members(metadata.name).toSorted(), members.map(([node]) => node).toSorted());
        assert.ok(members.every(([, have]) => matches(spec.nodeSelector, have)));
      }
    }),
    { numRuns: 2000 },
  );
});

test('a change tells which groups it touches, the one that was left among them', () => {
  const index = new MembershipIndex();
  index.setGroups([group('a', { zone: 'x' }), group('b', { zone: 'y' })]);
  index.setNode('n', { zone: 'x' });
  assert.deepEqual([...index.setNode('n', { zone: 'y' })], ['a', 'b']);
  const { groups: touched, nodes } = index.setGroups([group('b', { zone: 'y' }), group('c', {})]);
  assert.deepEqual([[...touched].toSorted(), [...nodes]], [['b', 'c'], ['n']]);
  assert.deepEqual(index.conflicts('c'), [{ node: 'n', with: ['b'] }]);
});
