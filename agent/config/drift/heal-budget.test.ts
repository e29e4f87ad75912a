import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decideHeal, HEALS_PER_HOUR } from './heal-budget.ts';
import type { HealHistory } from './heal-budget.ts';

const HOUR_MS = 3_600_000;

test('however often a path is found different, no hour has more heals than its budget (A6)', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(HOUR_MS / 2), { maxLength: 60 }), (gaps) => {
      let history: HealHistory | undefined;
      let now = 0;
      const heals: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const decision = decideHeal(history, now);
        ({ history } = decision);
        if (decision.heal) heals.push(now);
      }
      for (const at of heals)
        assert.ok(heals.filter((other) => other > at - HOUR_MS && other <= at).length <= HEALS_PER_HOUR);
    }),
    { numRuns: 2000 },
  );
});

test('who changes a path now and then is healed every time', () => {
  let history: HealHistory | undefined;
  for (let times = 0; times < 50; times++) {
    const decision = decideHeal(history, times * (HOUR_MS / HEALS_PER_HOUR));
    assert.equal(decision.heal, true);
    ({ history } = decision);
  }
});
