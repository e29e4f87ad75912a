import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { DocumentUnit } from '#api/config-document.ts';
import type { UnitFacts } from '../units/units.ts';
import { unitDrifts } from './unit-drift.ts';
import type { UnitDrift } from './unit-drift.ts';

function wish(more: Partial<DocumentUnit> = {}): DocumentUnit {
  return { name: 'a.service', mask: false, drift: 'Heal', from: ['c'], ...more };
}

function fact(more: Partial<UnitFacts> = {}): UnitFacts {
  const rest = { exists: true, restarts: 0, pending: false, ends: false };
  return { name: 'a.service', enablement: 'enabled', active: 'active', ...rest, ...more };
}

function drift(wanted: Partial<DocumentUnit>, found: Partial<UnitFacts>): UnitDrift | undefined {
  return unitDrifts([wish(wanted)], [fact(found)])[0];
}

const ON = { enabled: true, state: 'Started' } as const;
const OFF = { enabled: false, state: 'Stopped' } as const;

test('what somebody disabled, stopped or masked by hand is drift, and so is the contrary', () => {
  assert.equal(drift(ON, {}), undefined);
  assert.equal(drift(ON, { enablement: 'disabled' })?.enable, true);
  assert.equal(drift(ON, { active: 'inactive' })?.run, true);
  assert.equal(drift(ON, { active: 'failed' })?.run, true);
  assert.equal(drift(ON, { enablement: 'masked' })?.unmask, true);
  assert.equal(drift(OFF, { enablement: 'disabled', active: 'inactive' }), undefined);
  assert.equal(drift(OFF, { active: 'inactive' })?.enable, false);
  assert.equal(drift(OFF, { enablement: 'disabled' })?.run, false);
});

test('what was not asked for is nobody’s to change', () => {
  assert.equal(drift({}, { enablement: 'disabled', active: 'inactive' }), undefined);
  assert.equal(drift({ enabled: true }, { active: 'inactive' }), undefined);
  assert.equal(drift({ state: 'Stopped' }, { active: 'inactive', enablement: 'masked' }), undefined);
});

test('what is on its way, or has done its work, is not judged', () => {
  assert.equal(drift(ON, { active: 'inactive', pending: true }), undefined);
  assert.equal(drift(ON, { active: 'activating' }), undefined);
  assert.equal(drift(ON, { active: 'deactivating' }), undefined);
  assert.equal(drift(ON, { active: 'inactive', ends: true }), undefined);
});

test('a unit that nothing can enable is not enabled again and again', () => {
  for (const enablement of ['static', 'generated', 'indirect', 'alias', 'linked', ''])
    assert.equal(drift({ enabled: true }, { enablement }), undefined);
});

test('what the node hangs on is started again, but stopped by nobody who has not drained it', () => {
  const kubelet = { name: 'kubelet.service' };
  assert.equal(drift({ ...ON, ...kubelet }, { ...kubelet, active: 'inactive' })?.policy, 'Heal');
  assert.equal(drift({ ...OFF, ...kubelet }, { ...kubelet })?.policy, 'Report');
});

const anyWish = fc.record({
  name: fc.constantFrom('a.service', 'kubelet.service'),
  mask: fc.boolean(),
  drift: fc.constantFrom('Heal' as const, 'Report' as const, 'Ignore' as const),
  enabled: fc.option(fc.boolean(), { nil: undefined }),
  state: fc.option(fc.constantFrom('Started' as const, 'Stopped' as const), { nil: undefined }),
  from: fc.constant<string[]>(['c']),
});
const anyFact = fc.record({
  exists: fc.boolean(),
  restarts: fc.nat(),
  pending: fc.boolean(),
  ends: fc.boolean(),
  enablement: fc.constantFrom('enabled', 'disabled', 'static', 'masked', 'masked-runtime', 'alias', ''),
  active: fc.constantFrom('active', 'inactive', 'failed', 'activating', 'deactivating', 'reloading'),
});

/** What systemd makes of it when a difference is mended: first it is unmasked, and looked at again. */
function mended(found: UnitFacts, { unmask, enable, run }: UnitDrift): UnitFacts {
  if (unmask) return { ...found, enablement: 'disabled' };
  return {
    ...found,
    ...(enable === undefined ? {} : { enablement: enable ? 'enabled' : 'disabled' }),
    ...(run === undefined ? {} : { active: run ? 'active' : 'inactive' }),
  };
}

test('mended twice, nothing is different any more, whatever was wanted and found', () => {
  fc.assert(
    fc.property(anyWish, anyFact, (wanted, found) => {
      let now: UnitFacts = { name: wanted.name, ...found };
      const first = unitDrifts([wanted], [now])[0];
      if (first === undefined) return;
      assert.ok(wanted.drift !== 'Ignore' && !wanted.mask);
      for (let times = 0; times < 2; times++)
        for (const one of unitDrifts([wanted], [now])) now = mended(now, one);
      assert.deepEqual(unitDrifts([wanted], [now]), []);
    }),
    { numRuns: 5000 },
  );
});
