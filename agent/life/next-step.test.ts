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
import type { Step } from './step.ts';

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

const slots: Record<'A' | 'B', SlotStatus> = {
  A: { name: 'A', partUUID: 'A', priority: 1, tries: 0, successful: true, booted: true, next: false },
  B: { name: 'B', partUUID: 'B', priority: 0, tries: 0, successful: false, booted: false, next: false },
};
const twoSlots: EngineStatus = {
  slots: [slots.A, slots.B],
  running: 'A',
  passive: 'B',
  diskID: 'd',
  damaged: false,
};
const onTrial: EngineStatus = {
  ...twoSlots,
  slots: [
    { ...slots.A, booted: false },
    { ...slots.B, priority: 2, booted: true },
  ],
  running: 'B',
  passive: 'A',
};

/** A machine that has staged 2.0.0 and was granted the reboot. */
const granted: Facts = {
  now: NOW,
  monotonicMs: NOW,
  uptimeMs: 0,
  host: { bootID: 'boot-1', os: { id: 'os', version: '1.0.0' } },
  engine: twoSlots,
  record: {
    ...emptyRecord(),
    staged: {
      version: '2.0.0',
      attempt: 1,
      slot: 'B',
      partUUID: 'B',
      digest: 'sha',
      size: 1,
      requestedAt: past,
    },
  },
  spec: {
    update: { version: '2.0.0', payload: { manifest: 'http://payloads/manifest.json' }, attempt: 1 },
    reboot: { grant: { id: 'g1', nodeUID: 'uid', bootID: 'boot-1', notAfter: soon, mode: 'reboot' } },
  },
  work: { verified: 'sha', verifiedFor: 'g1' },
};
const wished: Facts = { ...granted, record: emptyRecord() };
const accepted: Facts = {
  ...granted,
  record: {
    ...granted.record,
    armed: {
      version: '2.0.0',
      attempt: 1,
      partUUID: 'B',
      bootID: 'boot-1',
      grant: { id: 'g1', notAfter: soon },
      accepted: true,
      gate: healthGate.parse({ deadline: '30s' }),
      at: past,
    },
  },
};
const tried: Facts = {
  ...accepted,
  host: { bootID: 'boot-2', os: { id: 'os', version: '2.0.0' } },
  engine: onTrial,
  record: {
    ...emptyRecord(),
    armed: { ...accepted.record.armed!, trial: { bootID: 'boot-2', since: past } },
  },
  work: { checks: [{ name: 'node-ready', passed: true, message: '' }] },
};
const expired: Facts = {
  ...tried,
  uptimeMs: 60_000,
  work: { checks: [{ name: 'node-ready', passed: false, message: '' }] },
};

/** Each fact on its own, by where it lies. */
const FACTS = [
  ['uptimeMs'],
  ['engine'],
  ['host', 'bootID'],
  ['host', 'os'],
  ...['staged', 'armed', 'spent', 'last', 'quarantine', 'good'].map((name) => ['record', name]),
  ['spec'],
  ['spec', 'update'],
  ['spec', 'reboot'],
  ...['verified', 'verifiedFor', 'rebootAskedAt', 'checks'].map((name) => ['work', name]),
];

function withFact(given: Facts, odd: Facts, [section = '', name]: readonly string[]): Facts {
  const from = (odd as unknown as Record<string, Record<string, unknown> | undefined>)[section];
  if (name === undefined) return { ...given, [section]: from };
  const to = (given as unknown as Record<string, object | undefined>)[section];
  return { ...given, [section]: { ...to, [name]: from?.[name] } };
}

/** A machine in the middle of an update, of which up to two facts are not as they should be. */
const usual = fc
  .record({
    given: fc.constantFrom(granted, wished, accepted, tried, expired),
    odd: facts,
    where: fc.array(fc.constantFrom(...FACTS), { maxLength: 2 }),
  })
  .map(({ given, odd, where }) => where.reduce((so, one) => withFact(so, odd, one), given));

/**
 * Checks a rule on many facts, and on each step of the kind that it is about: odd ones of all sorts, most of
 * which lead nowhere, and about as many of a machine that is well under way, so that every rule is met often.
 */
function always<Do extends Step['do']>(
  kind: Do,
  rule: (given: Facts, step: Extract<Step, { do: Do }>) => void,
): void {
  let met = 0;
  const check = (given: Facts): void => {
    const step = nextStep(given);
    if (step.do !== kind) return;
    met += 1;
    rule(given, step as Extract<Step, { do: Do }>);
  };
  fc.assert(fc.property(fc.oneof(facts, usual), check), { numRuns: 20_000 });
  assert.ok(met > 500, `the case was met only ${met} times`);
}

test('a grant is only taken for this boot, in time, unused, and for what is staged, wanted and verified', () => {
  always('accept', (given, step) => {
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
});

test('a slot is only armed after the grant was accepted, in the boot that it was given for, and before it ends', () => {
  always('arm', (given, step) => {
    assert.ok(step.armed.accepted);
    assert.equal(step.armed.bootID, given.host.bootID);
    assert.ok(Date.parse(step.armed.grant.notAfter) > given.now);
  });
});

test('a good slot is never given up, and no slot that has none to go back to, but to finish what was judged', () => {
  always('fallBack', (given, step) => {
    const slots = given.engine?.slots ?? [];
    assert.equal(slots.find(({ booted }) => booted)?.successful, false);
    const other = slots.find(({ booted }) => !booted);
    const boots = other !== undefined && other.priority > 0 && (other.tries > 0 || other.successful);
    assert.ok(boots || step.armed.trial?.verdict !== undefined);
  });
});

test('a slot is only marked good when it runs, and when its gate passed or it is good already', () => {
  always('markGood', (given, step) => {
    const running = given.engine?.slots.find(({ booted }) => booted);
    assert.equal(running?.partUUID, step.armed.partUUID);
    assert.ok(running.successful || given.work.checks?.every(({ passed }) => passed));
  });
});

test('nothing is staged that is quarantined, that failed, or that is older than what runs, unless that is wished', () => {
  always('stage', (given, step) => {
    const { version: to, attempt = 1, allowDowngrade } = step.wanted;
    assert.ok(given.record.quarantine.every((one) => one.version !== to || attempt > one.attempt));
    const { last } = given.record;
    assert.ok(last?.phase !== 'Failed' || last.version !== to || attempt > last.attempt);
    assert.ok(allowDowngrade === true || to > given.host.os.version);
    assert.equal(given.record.staged, undefined, 'what was staged was dropped first');
  });
});

test('a machine without slots is left alone', () => {
  fc.assert(
    fc.property(fc.oneof(facts, usual), (given) => {
      assert.equal(nextStep({ ...given, engine: undefined }).do, 'idle');
    }),
    { numRuns: 20_000 },
  );
});
