import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeState, RebootWindow } from '#api/kinds.ts';
import type { ConfigPlan } from '#api/node-config-state.ts';
import { describePlan } from './plan.ts';

const HASH = 'a'.repeat(64);
const PLAN: ConfigPlan = {
  hash: 'b'.repeat(64),
  changes: [
    { kind: 'File', name: '/etc/motd', change: 'Update', from: 'base', diff: '-old\n+new\n' },
    { kind: 'Unit', name: 'hello.service', change: 'Create', from: 'apps' },
    { kind: 'AuthorizedKeys', name: 'core', change: 'Remove' },
  ],
  more: 2,
  actions: [{ action: 'None' }, { action: 'DaemonReload' }, { action: 'Restart', unit: 'hello.service' }],
  drains: false,
  reboots: false,
};

function state(plan: ConfigPlan | undefined, hash = HASH): NodeState {
  return {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'NodeState',
    metadata: { name: 'worker-1' },
    spec: {
      config: {
        hash: HASH,
        hold: { reason: 'WaitingForWave', message: 'wave canary is not done', since: '2026-11-21T06:00:00Z' },
      },
    },
    status: { config: { phase: 'Planned', hash, plan, since: '2026-11-21T06:00:00Z' } },
  };
}

function window(name: string, status: NonNullable<RebootWindow['status']>): RebootWindow {
  const spec = { nodeSelector: {}, allow: [], deny: [] };
  return { apiVersion: 'careen.dev/v1alpha1', kind: 'RebootWindow', metadata: { name }, spec, status };
}

test('a plan tells what changes, who wants it, what follows, and why the node waits', () => {
  assert.deepEqual(describePlan(state(PLAN), []).split('\n'), [
    'worker-1   Planned   WaitingForWave: wave canary is not done',
    '  ~ file /etc/motd   (base)',
    '  + unit hello.service   (apps)',
    '  - authorized keys of core',
    '  and 2 more',
    '  then DaemonReload, Restart hello.service; the node keeps serving',
  ]);
  assert.match(describePlan(state(PLAN), [], true), /^ {6}-old\n {6}\+new$/m);
});

test('a plan that reboots tells which windows it waits for', () => {
  const plan = { ...PLAN, reboots: true, actions: [{ action: 'Reboot' as const }] };
  const open = window('always', { observedGeneration: 1, open: true });
  const shut = window('nights', { observedGeneration: 1, open: false, nextOpen: '2026-11-22T01:00:00Z' });
  assert.match(describePlan(state(plan), [open]), /drained and rebooted, as soon as the locks have room$/);
  assert.match(
    describePlan(state(plan), [open, shut]),
    /not before its windows: nights opens 2026-11-22T01:00:00Z$/,
  );
  assert.match(describePlan(state({ ...plan, reboots: false, drains: true }), []), /the node is drained, as/);
});

test('a plan of something else than what is wanted now is not shown', () => {
  assert.equal(
    describePlan(state(PLAN, 'c'.repeat(64)), []),
    'worker-1   Planned   WaitingForWave: wave canary is not done',
  );
  assert.match(describePlan(state({ ...PLAN, changes: [], more: 0, actions: [] }), []), /nothing to change/);
});
