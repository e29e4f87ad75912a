import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { healthGate } from '#api/health.ts';
import type { SlotStatus } from '#api/node-state.ts';
import { emptyRecord } from '../record/record.ts';
import type { EngineStatus } from '../slots/engine.ts';
import type { Facts } from './facts.ts';
import { checkGrant } from './grant.ts';
import { nextStep } from './next-step.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const soon = new Date(NOW + 60_000).toISOString();
const past = new Date(NOW - 60_000).toISOString();
const version = fc.constantFrom('1.0.0', '2.0.0', '3.0.0');
const boot = fc.constantFrom('boot-1', 'boot-2');
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const seldom = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one });
const failure = fc.constant({ code: 'HealthDeadline' as const, message: 'm' });

const slot = (name: string, booted: boolean): fc.Arbitrary<SlotStatus> =>
  fc.record({
    name: fc.constant(name),
    partUUID: fc.constant(name),
    priority: fc.nat(2),
    tries: fc.nat(2),
    successful: booted ? fc.constantFrom(true, true, false) : fc.boolean(),
    booted: fc.constant(booted),
    next: fc.constant(false),
  });

const engine: fc.Arbitrary<EngineStatus> = fc
  .boolean()
  .chain((a) => fc.tuple(slot('A', a), slot('B', !a)))
  .map(([a, b]) => ({
    slots: [a, b],
    running: a.booted ? 'A' : 'B',
    passive: a.booted ? 'B' : 'A',
    diskID: 'd',
    damaged: false,
  }));

const staged = fc.record({
  version,
  attempt: fc.integer({ min: 1, max: 2 }),
  slot: fc.constantFrom('A', 'B'),
  partUUID: fc.constantFrom('A', 'B'),
  digest: fc.constant('sha'),
  size: fc.constant(1),
  requestedAt: fc.constant(past),
});

const trial = fc.record({ bootID: boot, since: fc.constantFrom(past, soon), verdict: optional(failure) });
const armed = fc.record({
  version,
  attempt: fc.constant(1),
  partUUID: fc.constantFrom('A', 'B'),
  bootID: boot,
  grant: fc.record({ id: fc.constantFrom('g1', 'g2'), notAfter: fc.constantFrom(past, soon) }),
  accepted: fc.boolean(),
  gate: fc.constant(healthGate.parse({ deadline: '30s' })),
  at: fc.constant(past),
  trial: optional(trial),
});

const record = fc
  .record({
    staged: optional(staged),
    armed: seldom(armed),
    spent: fc.subarray(['g1', 'g2']),
    last: seldom(
      fc.record({
        phase: fc.constantFrom('Failed', 'RolledBack', 'Succeeded'),
        version,
        attempt: fc.constant(1),
        at: fc.constant(past),
      }),
    ),
    quarantine: fc.array(
      fc.record({
        version,
        reason: fc.constant('BootFailed' as const),
        attempt: fc.constant(1),
        since: fc.constant(past),
      }),
      { maxLength: 1 },
    ),
    good: seldom(fc.record({ version, partUUID: fc.constantFrom('A', 'B') })),
  })
  .map((some) => ({ ...emptyRecord(), ...some }));

const grant = fc.record({
  id: fc.constantFrom('g1', 'g2'),
  nodeUID: fc.constantFrom('uid', 'other'),
  bootID: boot,
  notAfter: fc.constantFrom(past, soon),
  mode: fc.constant('reboot' as const),
});

const wanted = fc.record({
  version: optional(version),
  payload: optional(fc.constant({ manifest: 'http://payloads/manifest.json' })),
  attempt: fc.integer({ min: 1, max: 2 }),
  allowDowngrade: fc.boolean(),
});

const checks = fc.array(
  fc.record({ name: fc.constant('node-ready'), passed: fc.boolean(), message: fc.constant('') }),
  { minLength: 1, maxLength: 1 },
);

const facts = fc
  .record({
    now: fc.constant(NOW),
    monotonicMs: fc.constant(NOW),
    uptimeMs: optional(fc.nat(60_000)),
    host: fc.record({ bootID: boot, os: fc.record({ id: fc.constant('os'), version }) }),
    engine: optional(engine),
    record,
    spec: optional(
      fc.record({ update: optional(wanted), reboot: optional(fc.record({ grant: optional(grant) })) }),
    ),
    work: fc.record({
      verified: fc.constantFrom('sha', 'sha', 'another'),
      verifiedFor: fc.constantFrom('g1', 'g2'),
      rebootAskedAt: optional(fc.constantFrom(NOW - 1000, NOW - 3_600_000)),
      checks: optional(checks),
    }),
  })
  .map((some) => some as unknown as Facts);

/** Checks a rule on many facts; most generated facts are odd, which is the point. */
function always(rule: (given: Facts) => void): void {
  fc.assert(fc.property(facts, rule), { numRuns: 20_000 });
}

test('a grant is only taken for this boot, in time, unused, and for what is staged, wanted and verified', () => {
  let taken = 0;
  always((given) => {
    const step = nextStep(given);
    if (step.do !== 'accept') return;
    taken += 1;
    const { grant: found, staged: have } = step;
    assert.equal(found.bootID, given.host.bootID);
    assert.ok(Date.parse(found.notAfter) > given.now);
    assert.ok(!given.record.spent.includes(found.id));
    assert.equal(have.version, given.spec?.update?.version);
    assert.equal(have.digest, given.work.verified);
    assert.equal(given.work.verifiedFor, found.id, 'read back for this very grant');
    const refusal = checkGrant({ ...given, grant: found, nodeUID: 'uid' });
    assert.equal(refusal?.reason, found.nodeUID === 'uid' ? undefined : 'OtherNode');
  });
  assert.ok(taken > 10, 'the case was met');
});

test('a slot is only armed after the grant was accepted, in the boot that it was given for, and before it ends', () => {
  always((given) => {
    const step = nextStep(given);
    if (step.do !== 'arm') return;
    assert.ok(step.armed.accepted);
    assert.equal(step.armed.bootID, given.host.bootID);
    assert.ok(Date.parse(step.armed.grant.notAfter) > given.now);
  });
});

test('a good slot is never given up, and no slot that has none to go back to, but to finish what was judged', () => {
  always((given) => {
    const step = nextStep(given);
    if (step.do !== 'fallBack') return;
    const slots = given.engine?.slots ?? [];
    assert.equal(slots.find(({ booted }) => booted)?.successful, false);
    const other = slots.find(({ booted }) => !booted);
    const boots = other !== undefined && other.priority > 0 && (other.tries > 0 || other.successful);
    assert.ok(boots || step.armed.trial?.verdict !== undefined);
  });
});

test('a slot is only marked good when it runs, and when its gate passed or it is good already', () => {
  always((given) => {
    const step = nextStep(given);
    if (step.do !== 'markGood') return;
    const running = given.engine?.slots.find(({ booted }) => booted);
    assert.equal(running?.partUUID, step.armed.partUUID);
    assert.ok(running.successful || given.work.checks?.every(({ passed }) => passed));
  });
});

test('nothing is staged that is quarantined, that failed, or that is older than what runs, unless that is wished', () => {
  always((given) => {
    const step = nextStep(given);
    if (step.do !== 'stage') return;
    const { version: to, attempt = 1, allowDowngrade } = step.wanted;
    assert.ok(given.record.quarantine.every((one) => one.version !== to || attempt > one.attempt));
    const { last } = given.record;
    assert.ok(last?.phase !== 'Failed' || last.version !== to || attempt > last.attempt);
    assert.ok(allowDowngrade === true || to > given.host.os.version);
    assert.equal(given.record.staged, undefined, 'what was staged was dropped first');
  });
});

test('a machine without slots is left alone', () => {
  always((given) => assert.equal(nextStep({ ...given, engine: undefined }).do, 'idle'));
});
