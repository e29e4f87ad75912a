import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthGate } from '#api/health.ts';
import type { SlotStatus } from '#api/node-state.ts';
import { emptyRecord } from '../record/record.ts';
import type { AgentRecord, Armed } from '../record/record.ts';
import { kept, stranded, succeeded } from '../record/transitions.ts';
import { statusOf } from '../report/status.ts';
import type { Facts } from './facts.ts';
import { nextStep } from './next-step.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const now = new Date(NOW).toISOString();
const dead = { priority: 0, tries: 0, successful: false };
const A: SlotStatus = { name: 'A', partUUID: 'A', ...dead, booted: false, next: false };
const B: SlotStatus = { name: 'B', partUUID: 'B', ...dead, priority: 2, tries: 1, booted: true, next: true };
const armed: Armed = {
  version: '2.0.0',
  from: '1.0.0',
  attempt: 2,
  partUUID: 'B',
  bootID: 'boot-1',
  grant: { id: 'g', notAfter: now },
  accepted: true,
  gate: healthGate.parse({ deadline: '1m' }),
  at: now,
  trial: { bootID: 'boot-2', since: now },
};
const failing = [{ name: 'node-ready', passed: false, message: 'the Node is not Ready' }];
const passing = [{ name: 'node-ready', passed: true, message: 'passed' }];

/** Two minutes into the first boot of B, with a gate of one minute; A does not boot. */
function facts(more: Partial<Facts> = {}, other: Partial<SlotStatus> = {}): Facts {
  return {
    now: NOW,
    monotonicMs: 0,
    uptimeMs: 120_000,
    host: { bootID: 'boot-2', os: { id: 'os', version: '2.0.0' } },
    engine: { slots: [{ ...A, ...other }, B], running: 'B', passive: 'A', diskID: 'd', damaged: false },
    record: { ...emptyRecord(), armed },
    work: { checks: failing },
    ...more,
  };
}

const error = { code: 'HealthDeadline' as const, message: 'm' };
const aground: AgentRecord = stranded({ ...emptyRecord(), armed }, armed, error, undefined, now);
const status = (given: Facts) => statusOf({ ...given, agentVersion: '0', startedAt: NOW }).update;

test('at the deadline with no other slot that boots, the machine says so and goes on checking', () => {
  const first = nextStep(facts());
  assert.equal(first.do, 'strand');
  assert.match(first.do === 'strand' ? first.error.message : '', /node-ready.*no other slot boots/);
  const later = facts({ record: aground });
  const next = nextStep(later);
  assert.ok(next.do === 'check' && next.waitMs >= 10_000, 'now and then, for as long as it takes');
  assert.deepEqual(status(later), {
    phase: 'Failed',
    version: '2.0.0',
    from: '1.0.0',
    attempt: 2,
    error,
    since: now,
  });
  assert.equal(aground.quarantine[0]?.attempt, 2);
});

test('a stranded machine is good once its checks pass, and goes back once another slot boots', () => {
  const passed = facts({ record: aground, work: { checks: passing } });
  const step = nextStep(passed);
  assert.equal(step.do, 'markGood');
  const after = succeeded(aground, armed, undefined, now);
  assert.deepEqual([after.quarantine, after.armed], [[], undefined]);
  const repaired = nextStep(facts({ record: aground }, { priority: 1, successful: true }));
  assert.equal(repaired.do, 'fallBack');
});

test('a verdict without a way back does not end in an endless error', () => {
  const judged = { ...armed, trial: { bootID: 'boot-2', since: now, verdict: error } };
  const step = nextStep(facts({ record: { ...emptyRecord(), armed: judged } }));
  assert.equal(step.do, 'strand');
});

test('an image of another version is given up, or kept and told when there is no way back, and not staged again', () => {
  const host = { bootID: 'boot-2', os: { id: 'os', version: '1.5.0' } };
  const back = nextStep(facts({ host }, { priority: 1, successful: true }));
  assert.ok(back.do === 'fallBack' && back.error.code === 'VersionMismatch');
  const step = nextStep(facts({ host, work: { checks: passing } }));
  assert.ok(step.do === 'markGood' && step.error?.code === 'VersionMismatch');
  const record = kept({ ...emptyRecord(), armed }, armed, '1.5.0', step.error, now);
  const good = { ...B, successful: true };
  const update = {
    version: '2.0.0',
    attempt: 2,
    payload: { manifest: 'http://payloads/manifest.json' },
    keys: [],
  };
  const settled = facts({
    host,
    record,
    engine: { slots: [A, good], running: 'B', passive: 'A', diskID: 'd', damaged: false },
    spec: { update },
    work: {},
  });
  assert.equal(nextStep(settled).do, 'idle');
  assert.deepEqual(status(settled)?.error, step.error);
});
