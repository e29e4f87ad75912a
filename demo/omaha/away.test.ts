import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '#test/observer/ledger.ts';
import { AwayMachines } from './away.ts';
import { Tried } from './tried.ts';

const machine = (machineID: string) => ({ machineID });
const version = '2.0.0';

test('machines that are down count with the nodes that are unavailable', () => {
  const ledger = new Ledger();
  const away = new AwayMachines(ledger);
  ledger.see({ node: 'machine-1', at: 1, cordoned: true, ready: true, bootID: 'a' });
  away.hear(machine('m1'), { kind: 'installed', version });
  assert.equal(ledger.worst.count, 1);
  away.hear(machine('m1'), { kind: 'rebooting', version });
  away.hear(machine('m2'), { kind: 'rebooting', version });
  assert.deepEqual([ledger.worst.count, ledger.unavailable(), away.count], [3, ['m1', 'm2', 'machine-1'], 2]);
  away.hear(machine('m1'), { kind: 'booted', version });
  away.hear(machine('m2'), { kind: 'fell-back', version });
  assert.deepEqual([ledger.worst.count, ledger.unavailable(), away.count], [3, ['machine-1'], 0]);
});

test('a machine is under way from the offer until it is back, in whatever way', () => {
  const tried = new Tried();
  for (const name of ['m1', 'm2', 'm3']) tried.hear(machine(name), { kind: 'offered', version });
  tried.hear(machine('m1'), { kind: 'booted', version });
  tried.hear(machine('m2'), { kind: 'fell-back', version });
  assert.deepEqual([tried.underWay, tried.worstUnderWay, [...tried.fellBack]], [1, 3, ['m2']]);
  tried.reset();
  assert.deepEqual([tried.underWay, tried.worstUnderWay, tried.fellBack.size], [1, 1, 0]);
});
