import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { healthGate } from '#api/health.ts';
import { nodeStateStatus } from '#api/node-state.ts';
import type { NodeStateStatus } from '#api/node-state.ts';
import { failureOf } from '../life/fault.ts';
import type { Facts } from '../life/facts.ts';
import { emptyRecord } from '../record/record.ts';
import type { AgentRecord, Armed } from '../record/record.ts';
import * as become from '../record/transitions.ts';
import { SlotError } from '../slots/slot-error.ts';
import { faultStatus } from './fault-status.ts';
import { statusOf } from './status.ts';

const now = '2026-01-01T12:00:00.000Z';
/** As long as the API server lets a version be, and as the agent lets what the host says. */
const short = fc.string({ minLength: 1, maxLength: 64 });
const error = fc.string({ maxLength: 3000 }).map((message) => failureOf(new SlotError('IoError', message)));
const attempt = fc.nat(1000);
const what = fc.record({ version: short, from: short, attempt });
const health = fc.option(
  fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 63 }), { maxLength: 16 })
    .map((names) => ({ checks: names.map((name) => ({ name, passed: false, message: 'm'.repeat(512) })) })),
  { nil: undefined },
);

const armed: fc.Arbitrary<Armed> = fc.record({
  version: short,
  from: short,
  attempt,
  partUUID: fc.constantFrom('A', 'B'),
  bootID: fc.constantFrom('boot-1', 'boot-2'),
  grant: fc.constant({ id: 'g', notAfter: now }),
  accepted: fc.boolean(),
  gate: fc.constant(healthGate.parse({})),
  at: fc.constant(now),
  trial: fc.option(fc.constant({ bootID: 'boot-2', since: now }), { nil: undefined }),
});

const staged = what.map(({ version }) => ({
  version,
  attempt: 1,
  slot: 'B',
  partUUID: 'B',
  digest: 'd'.repeat(64),
  size: 1,
  requestedAt: now,
}));

/** One thing that happens to a record. */
const event: fc.Arbitrary<(record: AgentRecord) => AgentRecord> = fc.oneof(
  staged.map((one) => (record: AgentRecord) => become.withStaged(record, one)),
  armed.map((one) => (record: AgentRecord) => ({ ...record, armed: one })),
  fc.tuple(what, error).map(
    ([one, e]) =>
      (record: AgentRecord) =>
        become.failed(record, one, e, now),
  ),
  fc.tuple(what, error).map(
    ([one, e]) =>
      (record: AgentRecord) =>
        become.rolledBack(record, one, e, now),
  ),
  fc.tuple(armed, health).map(
    ([one, h]) =>
      (r: AgentRecord) =>
        become.succeeded(r, one, h, now),
  ),
  fc.tuple(armed, error, health).map(
    ([one, e, h]) =>
      (r: AgentRecord) =>
        become.stranded(r, one, e, h, now),
  ),
  fc.tuple(armed, short, error).map(
    ([one, runs, e]) =>
      (r: AgentRecord) =>
        become.kept(r, one, runs, e, now),
  ),
  error.map((e) => (record: AgentRecord) => become.rebootFailed(record, e, now)),
);

const slot = (name: string, booted: boolean) =>
  fc.record({
    name: fc.constant(name),
    partUUID: fc.constant(name),
    priority: fc.nat(15),
    tries: fc.nat(15),
    successful: fc.boolean(),
    booted: fc.constant(booted),
    next: fc.boolean(),
  });

const input = fc
  .record({
    events: fc.array(event, { maxLength: 40 }),
    slots: fc.tuple(slot('A', true), slot('B', false)),
    version: short,
    busy: fc.boolean(),
    fault: error,
    wanted: fc.option(fc.record({ version: short, attempt: fc.integer({ min: 1, max: 1000 }) }), {
      nil: undefined,
    }),
  })
  .map((given) => ({ ...given, record: given.events.reduce((was, next) => next(was), emptyRecord()) }));

/** What the API server would keep of it is all of it. */
function assertTaken(told: NodeStateStatus): void {
  const status: unknown = JSON.parse(JSON.stringify(told));
  const parsed = nodeStateStatus.safeParse(status);
  assert.equal(parsed.error?.message, undefined);
  assert.deepEqual(parsed.data, status);
}

test('whatever happened, the API server takes the status, and that of a fault after it', () => {
  fc.assert(
    fc.property(input, ({ record, slots, version, busy, fault, wanted }) => {
      const host = { bootID: 'boot-2', machineID: 'm', os: { id: 'os', version } };
      const target = { version, attempt: 1 };
      const facts: Facts = {
        now: Date.parse(now),
        monotonicMs: 0,
        host,
        engine: { slots, running: 'A', passive: 'B', diskID: 'd', damaged: false },
        record,
        work: busy ? { busy: { task: 'stage', target, since: Date.parse(now) } } : {},
      };
      const progress = { bytes: 1, total: 2, reused: 0 };
      const reported = statusOf({ ...facts, agentVersion: '0', startedAt: Date.parse(now), progress });
      assertTaken(reported);
      const faultSince = Date.parse(now);
      assertTaken(faultStatus({ host, agentVersion: '0', reported, fault, faultSince, wanted }));
    }),
    { numRuns: 3000 },
  );
});

test('a fault is told of the version that is wanted, so that a rollout can count it', () => {
  const host = { bootID: 'b', os: { id: 'os', version: '1.0.0' } };
  const fault = { code: 'IoError' as const, message: 'bad disk' };
  const given = { host, agentVersion: '0', fault, faultSince: Date.parse(now) };
  const wanted = { version: '2.0.0', attempt: 3 };
  const before = { phase: 'Succeeded' as const, version: '1.0.0', attempt: 1, since: now };
  const told = (more: Partial<Parameters<typeof faultStatus>[0]>) =>
    faultStatus({ ...given, reported: { update: before }, wanted, ...more }).update;
  assert.deepEqual(told({}), { phase: 'Failed', ...wanted, from: '1.0.0', error: fault, since: now });
  assert.deepEqual(
    told({ wanted: { version: '1.0.0', attempt: 1 } }),
    { phase: 'Failed', error: fault, since: now },
    'what runs has not failed',
  );
  const verifying = { phase: 'Verifying' as const, version: '2.0.0', attempt: 3, since: now };
  assert.deepEqual(told({ reported: { update: verifying } }), { ...verifying, error: fault });
});
