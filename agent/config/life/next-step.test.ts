import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ConfigFacts } from './facts.ts';
import { emptyConfigRecord } from './config-record.ts';
import type { ChangeMeta } from './change-meta.ts';
import { judge, probed } from './confirming.ts';
import { nextConfigStep } from './next-step.ts';
import { mergeReboot, reportOf } from './report.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

function meta(more: Partial<ChangeMeta> = {}): ChangeMeta {
  const plan = { hash: A, changes: [], more: 0, actions: [], drains: false, reboots: false };
  return {
    hash: A,
    generation: 1,
    plan,
    needs: 'None',
    bootID: 'boot-1',
    steps: [],
    probes: [],
    baseline: { ready: true, kubelet: true, restarts: {} },
    confirm: { timeoutMs: 60_000, settleMs: 20_000 },
    units: {},
    sysctls: {},
    kernelArguments: { added: [], removed: [] },
    ...more,
  };
}

function facts(more: Partial<ConfigFacts> = {}): ConfigFacts {
  return {
    now: NOW,
    monotonicMs: 0,
    bootID: 'boot-1',
    wanted: { hash: A, generation: 1, apply: true },
    grant: undefined,
    update: 'Idle',
    updateStaged: false,
    record: emptyConfigRecord('m'),
    applied: undefined,
    changing: undefined,
    draft: undefined,
    trouble: undefined,
    probing: undefined,
    rebootAskedAt: undefined,
    unsupported: undefined,
    ...more,
  };
}

const draft = (needs: 'None' | 'Drain' | 'Reboot') => ({ hash: A, generation: 1, needs });
const changing = (more: Partial<NonNullable<ConfigFacts['changing']>> = {}) => ({
  id: 't1',
  stage: 'Switched' as const,
  meta: meta(),
  undoneByHost: false,
  acted: true,
  ...more,
});
const failed = (code: 'ProbeFailed' | 'NotConfirmed') => ({ code, message: 'why' });

test('a wish is fetched, planned, and applied once the agent is told to', () => {
  assert.equal(nextConfigStep(facts()).do, 'draft');
  const planned = facts({ draft: draft('None'), wanted: { hash: A, generation: 1, apply: false } });
  assert.equal(nextConfigStep(planned).do, 'idle');
  assert.equal(nextConfigStep(facts({ draft: draft('None') })).do, 'apply');
  assert.equal(nextConfigStep(facts({ applied: meta() })).do, 'idle');
});

test('nothing is begun without a word from the API server, while a version is on trial, or on the way down (A35)', () => {
  const ready = { draft: draft('None') };
  assert.equal(nextConfigStep(facts({ ...ready, wanted: undefined })).do, 'idle');
  assert.equal(nextConfigStep(facts({ ...ready, update: 'Trial' })).do, 'idle');
  const open = { changing: changing({ stage: 'Reverted' }) };
  assert.equal(nextConfigStep(facts({ ...open, update: 'GoingDown' })).do, 'idle');
});

test('a drain is asked for, accepted when it is granted for this boot, and only then is anything changed (A31)', () => {
  const asked = nextConfigStep(facts({ draft: draft('Drain') }));
  assert(asked.do === 'request');
  const record = { ...emptyConfigRecord('m'), request: asked.request };
  const waits = { draft: draft('Drain'), record };
  assert.equal(nextConfigStep(facts(waits)).do, 'idle');
  const notAfter = new Date(NOW + 1000).toISOString();
  const grant = { id: `${NOW}/x`, nodeUID: 'u', bootID: 'boot-1', notAfter, mode: 'drain' as const };
  assert.equal(nextConfigStep(facts({ ...waits, grant })).do, 'accept');
  assert.equal(nextConfigStep(facts({ ...waits, grant: { ...grant, bootID: 'boot-0' } })).do, 'idle');
  assert.equal(nextConfigStep(facts({ ...waits, grant, now: NOW + 1000 })).do, 'idle');
  const request = { kind: 'Drain' as const, reasons: [], since: asked.request.since };
  const accepted = { id: grant.id, bootID: 'boot-1', mode: 'drain' as const, request };
  assert.equal(nextConfigStep(facts({ ...waits, grant, record: { ...record, accepted } })).do, 'apply');
  // The grant of an earlier request stands still: it is spent.
  const later = { ...asked.request, since: new Date(NOW + 1).toISOString() };
  const stale = { ...record, request: later, accepted };
  assert.notEqual(nextConfigStep(facts({ ...waits, grant, record: stale })).do, 'apply');
});

test('what is asked for is asked for no more when something else is wanted (A26)', () => {
  const request = { hash: A, kind: 'Drain' as const, since: new Date(NOW).toISOString() };
  const record = { ...emptyConfigRecord('m'), request };
  const other = {
    wanted: { hash: B, generation: 2 },
    draft: { hash: B, generation: 2, needs: 'None' as const },
  };
  assert.equal(nextConfigStep(facts({ ...other, record })).do, 'withdraw');
  assert.equal(nextConfigStep(facts({ ...other, record, applied: meta({ hash: B }) })).do, 'withdraw');
});

test('what failed is not tried again before its generation is raised; an older one is refused (A27)', () => {
  const last = { hash: A, generation: 1, phase: 'Reverted' as const, error: failed('ProbeFailed'), at: '' };
  const record = { ...emptyConfigRecord('m'), last, highest: 1 };
  assert.equal(nextConfigStep(facts({ record, draft: draft('None') })).do, 'idle');
  assert.equal(nextConfigStep(facts({ record, wanted: { hash: A, generation: 2 } })).do, 'draft');
  const old = nextConfigStep(
    facts({ record: { ...record, highest: 3 }, wanted: { hash: B, generation: 2 } }),
  );
  assert(old.do === 'refuse');
  assert.equal(old.error.code, 'GenerationOld');
});

test('a change under way counts or is undone before the next one, whatever is wanted or only previewed by then (A18, A26)', () => {
  fc.assert(
    fc.property(fc.constantFrom(A, B, undefined), fc.boolean(), fc.boolean(), (hash, apply, acted) => {
      const wanted = { ...(hash === undefined ? {} : { hash }), generation: 9, apply };
      const step = nextConfigStep(facts({ wanted, changing: changing({ acted }) }));
      assert.equal(step.do, acted ? 'probe' : 'act');
    }),
  );
});

test('a change that needs a reboot waits for it, and reboots with an update where one is staged (A30)', () => {
  const open = { changing: changing({ meta: meta({ needs: 'Reboot' }) }) };
  assert.equal(nextConfigStep(facts(open)).do, 'reboot');
  assert.equal(nextConfigStep(facts({ ...open, updateStaged: true })).do, 'idle');
  assert.equal(nextConfigStep(facts({ ...open, rebootAskedAt: 0 })).do, 'idle');
  assert.equal(nextConfigStep(facts({ ...open, bootID: 'boot-2' })).do, 'probe');
});

test('a verdict that was written down before a crash is carried out after it, and one that failed is not repeated (A20)', () => {
  const at = new Date(NOW).toISOString();
  const last = { hash: A, generation: 1, error: failed('ProbeFailed'), transaction: 't1', at };
  const record = (phase: 'Reverted' | 'Degraded') => ({
    ...emptyConfigRecord('m'),
    last: { ...last, phase },
  });
  assert.equal(nextConfigStep(facts({ changing: changing(), record: record('Reverted') })).do, 'revert');
  assert.equal(nextConfigStep(facts({ changing: changing(), record: record('Degraded') })).do, 'idle');
  assert.equal(
    reportOf(facts({ changing: changing(), record: record('Degraded') }), undefined).config.phase,
    'Degraded',
  );
});

test('probes have to hold without a break, by a clock that nobody sets (A12, A28)', () => {
  const rounds = fc.array(fc.record({ passed: fc.boolean(), ms: fc.integer({ min: 1, max: 5000 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(rounds, (all) => {
      let [now, passing] = [0, undefined as number | undefined];
      let probing: Parameters<typeof judge>[1] = { since: 0, results: [] };
      for (const { passed, ms } of all) {
        now += ms;
        passing = passed ? (passing ?? now) : undefined;
        probing = probed(probing, [{ name: 'x', passed, message: '' }], now);
        const { verdict } = judge({ settleMs: 3000, timeoutMs: 60_000 }, probing, now);
        const expected =
          passing !== undefined && now - passing >= 3000 ? 'Confirmed' : now < 60_000 ? 'Probe' : 'Failed';
        assert.equal(verdict, expected);
      }
    }),
  );
});

test('an update and a configuration ask for one reboot; a request that is acted on stands as it was told', () => {
  const update = { requested: true, reasons: ['update to 2'], since: '2026-11-21T09:00:00.000Z' };
  const request = { hash: A, kind: 'Drain' as const, since: '2026-11-21T10:00:00.000Z' };
  const record = { ...emptyConfigRecord('m'), request };
  const merged = mergeReboot(update, reportOf(facts({ draft: draft('Drain'), record }), undefined));
  assert.deepEqual(merged, {
    requested: true,
    kind: 'Reboot',
    reasons: ['update to 2', `configuration ${A.slice(0, 12)}`],
    since: request.since,
  });
  assert(merged);
  const { reasons, since } = merged;
  const told = { kind: 'Reboot' as const, reasons, since };
  const accepted = { id: 'g', bootID: 'boot-1', mode: 'reboot' as const, request: told };
  const acting = reportOf(facts({ changing: changing(), record: { ...record, accepted } }), undefined);
  assert.deepEqual(mergeReboot(undefined, acting), { requested: true, ...told, accepted: 'g' });
  const over = reportOf(facts({ record: { ...emptyConfigRecord('m'), accepted } }), undefined);
  assert.deepEqual(mergeReboot(undefined, over), { requested: false, reasons: [], since, accepted: 'g' });
});
