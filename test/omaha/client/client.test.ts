import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Update } from '../wire/read-response.ts';
import { backsOff, fetched, noPayload, offered, spoilt } from './payload-state.ts';
import { seeded } from './random.ts';
import { FIRST_CHECK, fuzzed, nextCheck } from './schedule.ts';
import { DAY_MS, MINUTE_MS } from './units.ts';

const last = { intervalMs: 45 * MINUTE_MS, pollInterval: 0, httpStatus: 200 };
const minutes = (part: Partial<typeof last>) => {
  const { intervalMs, fuzzMs } = nextCheck({ ...last, ...part });
  return [intervalMs / MINUTE_MS, fuzzMs / MINUTE_MS];
};

describe('the next check', () => {
  it('is 45 minutes away, five more or less, and the first one seven', () => {
    assert.deepEqual(minutes({}), [45, 10]);
    assert.deepEqual(
      [0, 0.5].map((random) => fuzzed(FIRST_CHECK, random) / MINUTE_MS),
      [2, 7],
    );
  });

  it('keeps to the PollInterval between 45 minutes and four hours, and spreads it by half', () => {
    assert.deepEqual(minutes({ pollInterval: 60 }), [45, 10]);
    assert.deepEqual(minutes({ pollInterval: 2 * 3600 }), [120, 120]);
    assert.deepEqual(minutes({ pollInterval: 86_400 }), [240, 240]);
  });

  it('doubles after 500 and 503 up to four hours, and after nothing else', () => {
    assert.deepEqual(minutes({ httpStatus: 503 }), [90, 90]);
    assert.deepEqual(minutes({ httpStatus: 500, intervalMs: 200 * MINUTE_MS }), [240, 240]);
    assert.deepEqual(minutes({ httpStatus: 503, intervalMs: 7 * MINUTE_MS }), [45, 10]);
    for (const httpStatus of [0, 400, 404, 429, 502]) assert.deepEqual(minutes({ httpStatus }), [45, 10]);
  });
});

const update: Update = {
  version: '2.0.0',
  urls: ['http://a/x', 'http://b/x'],
  size: 1,
  sha256: 's',
  maxFailureCountPerUrl: 3,
  isDeltaPayload: false,
  disablePayloadBackoff: false,
  packages: [],
};

describe('a payload', () => {
  it('that was fetched whole is put off for 1, 2, 4 days and never more than 16', () => {
    let state = offered(noPayload, update);
    const days = Array.from({ length: 7 }, () => {
      state = fetched(state, update, 0, 0.5);
      return state.backoffUntil / DAY_MS;
    });
    assert.deepEqual(days, [1, 2, 4, 8, 16, 16, 16]);
    assert.ok(backsOff(state, update, 1));
    assert.ok(!backsOff(state, { ...update, disablePayloadBackoff: true }, 1));
    assert.deepEqual(offered(state, { ...update, sha256: 'other' }).backoffUntil, 0);
  });

  it('is taken from the next address at once when the content is wrong, and after some failures when it may pass', () => {
    const state = offered(noPayload, update);
    assert.equal(spoilt(state, update, 10, 0, 0.5).urlIndex, 1);
    let broken = state;
    for (let times = 0; times < 2; times++) broken = spoilt(broken, update, 9, 0, 0.5);
    assert.deepEqual([broken.urlIndex, broken.urlFailures], [0, 2]);
    broken = spoilt(broken, update, 9, 0, 0.5);
    assert.deepEqual([broken.urlIndex, broken.urlFailures], [1, 0]);
    assert.equal(spoilt(broken, update, 10, 0, 0.5).attempts, 1);
    assert.equal(spoilt(state, update, 5, 0, 0.5), state);
  });

  it('has an address that exists, whatever happens', () => {
    const code = fc.constantFrom(9, 10, 11, 1, 5, 2503, 34);
    fc.assert(
      fc.property(fc.array(code), fc.nat(4), (codes, urls) => {
        const many = { ...update, urls: ['first', ...Array.from({ length: urls }, String)] };
        const end = codes.reduce(
          (state, code) => spoilt(state, many, code, 0, 0.5),
          offered(noPayload, many),
        );
        assert.ok(end.urlIndex < many.urls.length);
      }),
    );
  });
});

it('a seed gives the same numbers again, between 0 and 1', () => {
  const [one, two, other] = [seeded('a'), seeded('a'), seeded('b')];
  const numbers = Array.from({ length: 1000 }, one);
  assert.deepEqual(numbers, Array.from({ length: 1000 }, two));
  assert.notEqual(numbers[0], other());
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  assert.ok(Math.abs(numbers.reduce((sum, number) => sum + number, 0) / 1000 - 0.5) < 0.05);
});
