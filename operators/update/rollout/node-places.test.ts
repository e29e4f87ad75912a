import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeGroupSpec } from '#api/node-group.ts';
import type { NodeStateStatus } from '#api/node-state.ts';
import { readChannel } from '../channel/read-channel.ts';
import type { NodeFacts } from './facts.ts';
import { planRollout, type Plan, type PlanInput } from './plan.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const MANIFEST = 'http://payloads/2.0.0';
const KEY = `RW${'A'.repeat(54)}`;
type Phase = NonNullable<NodeStateStatus['update']>['phase'];

function node(name: string, phase: Phase | undefined, changes: Partial<NodeFacts> = {}): NodeFacts {
  const update = { phase: phase ?? 'Idle', version: '2.0.0', attempt: 1, since: '2026-03-01T11:00:00Z' };
  const wanted = { version: '2.0.0', attempt: 1, payload: { manifest: MANIFEST, keys: [KEY] } };
  const status: NodeStateStatus = { bootID: 'b', os: { id: 'os', version: '1.0.0' }, engine: 'gpt', update };
  const facts = { name, labels: {}, ready: true, cordoned: false, bootID: 'b' };
  return { ...facts, wanted: phase === undefined ? {} : wanted, status, ...changes };
}

function plan(nodes: NodeFacts[], maxStaging: number | string, more: Partial<PlanInput> = {}): Plan {
  const omaha = { appID: 'os', tracks: ['stable'] };
  const update = { channel: 'stable', omaha, rollout: { maxStaging } };
  const { channel } = readChannel('stable', {
    source: { releases: [{ version: '2.0.0', payload: { manifest: MANIFEST } }] },
    keys: [KEY],
  });
  assert.ok(channel !== undefined);
  const group = { name: 'edge', update: nodeGroupSpec.parse({ nodeSelector: {}, update }).update };
  return planRollout({ group, channel, nodes, previous: undefined, now: NOW, ...more });
}

const machines = { total: 10, standings: [], failed: [] };
const joint = { machines, mayBeDown: 2 };

describe('in a group that answers machines as well', () => {
  it('nodes that wait for their reboot hold as many places as may be down at once, and no more', () => {
    const staged = ['a', 'b', 'c', 'd'].map((name) => node(name, 'Staged'));
    assert.deepEqual(plan(staged, 4, joint).staging, { held: 2, more: 0 });
    assert.deepEqual(plan(staged, 4, { ...joint, mayBeDown: 0 }).staging.held, 0);
    assert.deepEqual(plan([...staged, node('e', undefined)], 4, joint).staging, { held: 2, more: 1 });
  });

  it('nodes that are down hold a place, whoever took them down', () => {
    const down = [
      node('a', 'Rebooting', { ready: false }),
      node('b', 'Verifying', { cordoned: true }),
      node('c', 'Idle', { wanted: {}, cordoned: true }),
    ];
    assert.equal(plan(down, 4, joint).staging.held, 3);
  });

  it('a node that is back and still cordoned keeps its place until it serves', () => {
    const status = { ...node('a', 'Succeeded').status, os: { id: 'os', version: '2.0.0' } };
    assert.equal(plan([node('a', 'Succeeded', { status, cordoned: true })], 4, joint).staging.held, 1);
    assert.equal(plan([node('a', 'Succeeded', { status })], 4, joint).staging.held, 0);
  });

  it('those that stage count besides those that are down', () => {
    const nodes = [node('a', 'Staging'), node('b', 'Staged'), node('c', 'Rebooting', { ready: false })];
    assert.equal(plan(nodes, 4, joint).staging.held, 3);
  });

  it('without a limit nobody waits, however many are down', () => {
    const nodes = [node('a', undefined, { cordoned: true }), node('b', undefined, { cordoned: true })];
    assert.equal(plan(nodes, '100%', { ...joint, machines: { ...machines, total: 0 } }).staging.more, 2);
  });
});

it('in a group of nodes alone, only those that stage hold a place', () => {
  const nodes = [node('a', 'Staging'), node('b', 'Staged'), node('c', 'Rebooting', { ready: false })];
  assert.equal(plan(nodes, 4).staging.held, 1);
});
