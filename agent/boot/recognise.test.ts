import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthGate } from '#api/health.ts';
import type { SlotStatus } from '#api/node-state.ts';
import { emptyRecord } from '../record/record.ts';
import type { AgentRecord, Armed } from '../record/record.ts';
import { recognise } from './recognise.ts';

const at = '2026-01-01T00:00:00.000Z';
const armed: Armed = {
  version: '2.0.0',
  from: '1.0.0',
  attempt: 1,
  partUUID: 'B',
  bootID: 'old',
  grant: { id: 'g', notAfter: at },
  accepted: true,
  gate: healthGate.parse({}),
  at,
};

type Bits = readonly [priority: number, tries: number, successful: boolean];

function judge(running: 'A' | 'B', a: Bits, b: Bits, record: Partial<AgentRecord>, bootID = 'new') {
  const slot = (name: string, [priority, tries, successful]: Bits): SlotStatus => ({
    name,
    partUUID: name,
    priority,
    tries,
    successful,
    booted: name === running,
    next: false,
  });
  return recognise({ bootID, slots: [slot('A', a), slot('B', b)], record: { ...emptyRecord(), ...record } });
}

const good: Bits = [1, 0, true];

test('each boot after an armed reboot is told by the slot that runs and what is left of its tries', () => {
  assert.equal(judge('A', good, [2, 2, false], { armed }, 'old').kind, 'RebootPending');
  assert.equal(judge('A', good, [0, 0, false], { armed }).kind, 'NeverArmed');
  assert.equal(judge('B', good, [2, 1, false], { armed }).kind, 'Trial');
  assert.equal(judge('B', good, [2, 0, true], { armed }).kind, 'AlreadyGood');
});

test('a fall-back says why: it did not boot, it was not healthy, or somebody chose the other slot', () => {
  const code = (boot: ReturnType<typeof judge>) => (boot.kind === 'FellBack' ? boot.error.code : boot.kind);
  assert.equal(code(judge('A', good, [2, 0, false], { armed })), 'BootFailed');
  assert.equal(code(judge('A', good, [2, 1, false], { armed })), 'ManualRollback');
  const verdict = { code: 'HealthDeadline' as const, message: 'not healthy' };
  const judged = { ...armed, trial: { bootID: 'x', since: at, verdict } };
  assert.equal(code(judge('A', good, [0, 0, false], { armed: judged })), 'HealthDeadline');
});

test('a trial goes on in another boot of the slot, and is new to it', () => {
  const trial = { ...armed, trial: { bootID: 'new', since: at } };
  const same = judge('B', good, [2, 1, false], { armed: trial });
  assert.equal(same.kind === 'Trial' && same.seen, true);
  const another = judge('B', good, [2, 0, false], { armed: trial }, 'newer');
  assert.equal(another.kind === 'Trial' && another.seen, false);
});

test('without an armed slot: an ordinary boot, a switch by hand, or a slot that was never proven', () => {
  const record = { good: { version: '2.0.0', partUUID: 'B' } };
  assert.equal(judge('B', good, [2, 0, true], record).kind, 'Ordinary');
  assert.equal(judge('A', [2, 0, true], good, record).kind, 'ManualRollback');
  assert.equal(judge('A', [1, 1, false], [0, 0, false], {}).kind, 'Unproven');
  assert.equal(judge('A', good, [0, 0, false], {}).kind, 'Ordinary');
});
