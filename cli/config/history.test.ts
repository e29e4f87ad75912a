import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeConfig, RenderedConfig } from '#api/kinds.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import { revisionsOf } from './history.ts';
import { chooseRevision } from './revert.ts';

const spec = (motd: string) =>
  nodeConfigSpec.parse({ nodeSelector: {}, files: [{ path: '/etc/motd', contents: motd }] });

function rendered(name: string, day: number, generation: number, motd: string, nodes = 0): RenderedConfig {
  const sources = [
    { name: 'base', uid: 'u', generation, hash: motd, spec: JSON.stringify(spec(motd)) },
    { name: 'other', uid: 'v', generation: 1, hash: 'same' },
  ];
  return {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'RenderedConfig',
    metadata: { name, creationTimestamp: `2026-11-0${day}T00:00:00Z` },
    spec: { document: '{}', sources },
    status: { nodes },
  };
}

const now: NodeConfig = {
  apiVersion: 'careen.dev/v1alpha1',
  kind: 'NodeConfig',
  metadata: { name: 'base', generation: 4 },
  spec: spec('three'),
};

const HISTORY = [
  rendered('r2', 2, 2, 'two', 3),
  rendered('r1', 1, 1, 'one'),
  rendered('r4', 4, 3, 'three', 5),
  rendered('r3', 3, 2, 'two', 1),
];

test('the history of a NodeConfig has each of its specs once, newest first, with the nodes that have it', () => {
  assert.deepEqual(
    revisionsOf('base', HISTORY).map(({ generation, since, nodes, rendered: names }) => [
      generation,
      since.slice(0, 10),
      nodes,
      names,
    ]),
    [
      [3, '2026-11-04', 5, ['r4']],
      [2, '2026-11-02', 4, ['r2', 'r3']],
      [1, '2026-11-01', 0, ['r1']],
    ],
  );
  assert.equal(revisionsOf('other', HISTORY).length, 1);
  assert.deepEqual(revisionsOf('nobody', HISTORY), []);
});

test('going back takes the last spec that differs, or the one that is asked for', () => {
  const revisions = revisionsOf('base', HISTORY);
  assert.deepEqual(chooseRevision(revisions, now, undefined), { generation: 2, spec: spec('two') });
  assert.deepEqual(chooseRevision(revisions, now, 1), { generation: 1, spec: spec('one') });
  assert.throws(() => chooseRevision(revisions, now, 9), /at generation 9 is kept; there are: 3, 2, 1/);
  assert.throws(() => chooseRevision([], now, undefined), /no other spec of NodeConfig base is kept/);
});
