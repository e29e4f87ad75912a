import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthGate } from '#api/health.ts';
import { emptyRecord } from '../record/record.ts';
import { rebootFailed, withAccepted, withArming, withStaged } from '../record/transitions.ts';
import { checkGrant } from './grant.ts';
import type { GrantInput } from './grant.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const instant = '2026-01-01T12:00:00.000Z';
const staged = {
  version: '2.0.0',
  attempt: 1,
  slot: 'B',
  partUUID: 'B',
  digest: 'sha',
  size: 1,
  requestedAt: instant,
};
const grant = {
  id: 'g',
  nodeUID: 'uid',
  bootID: 'boot',
  notAfter: '2026-01-01T12:01:00.000Z',
  mode: 'reboot' as const,
};
const record = withStaged(emptyRecord(), staged);

/** A grant that may be used; each test spoils one thing. */
const valid: GrantInput = {
  now,
  host: { bootID: 'boot', os: { id: 'os', version: '1.0.0' } },
  spec: { update: { version: '2.0.0', payload: { manifest: 'http://payloads/manifest.json' } } },
  work: { verified: 'sha' },
  record,
  grant,
  nodeUID: 'uid',
};

const refusal = (more: Partial<GrantInput>) => checkGrant({ ...valid, ...more })?.reason;

test('a grant for this node, boot, time and target is taken', () => {
  assert.equal(refusal({}), undefined);
});

test('any other is refused, and why is said', () => {
  assert.equal(refusal({ nodeUID: 'another' }), 'OtherNode');
  assert.equal(refusal({ grant: { ...grant, bootID: 'the one before' } }), 'OtherBoot');
  assert.equal(refusal({ now: Date.parse(grant.notAfter) }), 'Expired');
  assert.equal(refusal({ grant: { ...grant, notAfter: 'soon' } }), 'Expired', 'what cannot be read is over');
  assert.equal(refusal({ record: emptyRecord() }), 'NothingStaged');
  assert.equal(refusal({ spec: {} }), 'Withdrawn');
  assert.equal(refusal({ spec: undefined }), 'Withdrawn');
  assert.equal(refusal({ spec: { update: { ...valid.spec?.update, version: '3.0.0' } } }), 'Withdrawn');
  assert.equal(refusal({ work: {} }), 'NotVerified');
});

test('a grant that was accepted once is not accepted again, though nothing came of it', () => {
  const input = { staged, grant, from: '1.0.0', bootID: 'boot', gate: healthGate.parse({}), now: instant };
  const { record: arming, armed } = withArming(record, input);
  const accepted = withAccepted(arming, armed);
  const error = { code: 'RebootFailed' as const, message: 'stays up' };
  assert.equal(refusal({ record: rebootFailed(accepted, error, instant) }), 'Spent');
});
