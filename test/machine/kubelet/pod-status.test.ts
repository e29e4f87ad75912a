import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerView } from './container.ts';
import type { KubeletPod, StateOfContainer } from './pod.ts';
import { digest, podStatus } from './pod-status.ts';

const facts = { hostIP: '10.0.0.1', podIP: '10.0.1.1', now: '2026-01-01T00:00:00Z' };
const running: StateOfContainer = { running: { startedAt: facts.now } };

test('a pod whose containers do not run yet is pending and not ready', () => {
  const status = podStatus(pod(), [view({ state: { waiting: { reason: 'ContainerCreating' } } })], facts);
  assert.equal(status.phase, 'Pending');
  assert.equal(ready(status.conditions), 'False');
});

test('a pod whose containers are ready is ready', () => {
  const status = podStatus(pod(), [view({ id: 'x', state: running, ready: true })], facts);
  assert.equal(status.phase, 'Running');
  assert.equal(ready(status.conditions), 'True');
});

test('one container that is not ready keeps the pod from being ready', () => {
  const views = [view({ id: 'x', state: running, ready: true }), view({ id: 'y', state: running })];
  assert.equal(ready(podStatus(pod(), views, facts).conditions), 'False');
});

test('a container in its back-off leaves the pod running', () => {
  const waiting = view({ id: 'x', restarts: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } });
  const status = podStatus(pod(), [waiting], facts);
  assert.equal(status.phase, 'Running');
  assert.equal(status.containerStatuses?.[0]?.restartCount, 2);
});

for (const [policy, exitCode, phase] of [
  ['Never', 0, 'Succeeded'],
  ['Never', 3, 'Failed'],
  ['OnFailure', 0, 'Succeeded'],
  ['OnFailure', 3, 'Running'],
  ['Always', 0, 'Running'],
] as const) {
  test(`exit ${exitCode} under the policy ${policy} makes a pod ${phase}`, () => {
    const terminated = { exitCode, reason: '', startedAt: facts.now, finishedAt: facts.now };
    const status = podStatus(pod(policy), [view({ id: 'x', state: { terminated } })], facts);
    assert.equal(status.phase, phase);
  });
}

test('conditions of others stay, and a condition keeps its time while it stays as it is', () => {
  const first = podStatus(pod(), [view({ id: 'x', state: running, ready: true })], facts);
  const scheduled = { type: 'PodScheduled', status: 'True' } as const;
  const next = { ...pod(), status: { ...first, conditions: [scheduled, ...(first.conditions ?? [])] } };
  const later = { ...facts, now: '2026-01-01T00:00:09Z' };
  const status = podStatus(next, [view({ id: 'x', state: running, ready: true })], later);
  assert.deepEqual(status.conditions, next.status.conditions);
  assert.equal(digest(status), digest(next.status));
});

test('a guess of others about readiness is worth a write', () => {
  const views = [view({ id: 'x', state: running, ready: true })];
  const posted = podStatus(pod(), views, facts);
  const guessed = {
    ...posted,
    conditions: posted.conditions!.map((each) => ({ ...each, status: 'False' as const })),
  };
  assert.notEqual(digest(guessed), digest(posted));
});

function pod(restartPolicy: 'Always' | 'OnFailure' | 'Never' = 'Always'): KubeletPod {
  return { metadata: { name: 'p' }, spec: { restartPolicy, containers: [] } };
}

function view(fields: Partial<ContainerView>): ContainerView {
  return {
    name: 'c',
    image: 'i',
    id: undefined,
    ready: false,
    restarts: 0,
    last: {},
    state: {},
    ...fields,
  };
}

function ready(conditions: readonly { type: string; status: string }[] = []): string | undefined {
  return conditions.find(({ type }) => type === 'Ready')?.status;
}
