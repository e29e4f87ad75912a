import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Instant } from './clock.ts';
import { held, type Lease, released } from './lease.ts';
import { microTime } from './micro-time.ts';
import { mayTake, type Observation, observe } from './observation.ts';
import { NotLeadingError, Term } from './term.ts';

const at = (ms: number): Instant => ({ monotonicMs: ms, wallMs: ms });
const LEASE: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } };

describe('a term', () => {
  it('ends at the renew deadline after the last renewal was sent, without anybody telling', () => {
    let now = at(0);
    const term = new Term(10_000, () => now);
    assert.equal(term.isLeading(), false);
    term.renewedAt(at(0));
    now = at(9999);
    assert.equal(term.isLeading(), true);
    now = at(10_000);
    assert.equal(term.isLeading(), false);
    assert.throws(() => term.fence(), NotLeadingError);
  });

  it('does not come back once it has ended, not even by a late renewal', () => {
    const term = new Term(10_000, () => at(0));
    term.renewedAt(at(0));
    term.end();
    term.renewedAt(at(0));
    assert.equal(term.isLeading(), false);
  });

  it('ends early when the wall clock jumps ahead, and is not stretched when it is set back', () => {
    let now: Instant = { monotonicMs: 1000, wallMs: 3_600_000 };
    const term = new Term(10_000, () => now);
    term.renewedAt(at(0));
    assert.equal(term.isLeading(), false);
    now = { monotonicMs: 11_000, wallMs: -3_600_000 };
    assert.equal(term.isLeading(), false);
  });
});

describe('a lease', () => {
  it('is written with times of exactly six fractional digits', () => {
    assert.equal(microTime(new Date('2026-11-21T00:00:00.120Z')), '2026-11-21T00:00:00.120000Z');
  });

  it('counts a transition only when it comes from another holder', () => {
    const terms = { identity: 'a', leaseDurationMs: 15_000 };
    const first = held(LEASE, terms, new Date(0));
    assert.equal(first.spec?.leaseTransitions, 0);
    assert.equal(held(first, terms, new Date(1000)).spec?.acquireTime, first.spec?.acquireTime);
    const second = held(first, { ...terms, identity: 'b' }, new Date(2000));
    assert.equal(second.spec?.leaseTransitions, 1);
    assert.equal(released(second, new Date(3000)).spec?.holderIdentity, '');
  });

  it('may be taken once it is free, or unchanged here for as long as its holder asked', () => {
    const lease = {
      ...held(LEASE, { identity: 'a', leaseDurationMs: 20_000 }, new Date(0)),
      metadata: { name: 'l', resourceVersion: '1' },
    };
    const seen = observe(undefined, lease, at(500));
    assert.equal(mayTake(lease, seen, at(20_500), 15_000), false);
    assert.equal(mayTake(lease, seen, at(20_501), 15_000), true);
    assert.equal(mayTake(lease, seen, at(20_501), 30_000), false);
    assert.equal(mayTake(released(lease, new Date(0)), seen, at(501), 15_000), true);
  });
});

/** One step of the simulated pair: who acts, after how long, and what becomes of its write. */
const stepOf = fc.record({
  who: fc.nat(1),
  afterMs: fc.integer({ min: 1, max: 6000 }),
  fate: fc.constantFrom('ok', 'ok', 'ok', 'lost request', 'lost reply'),
  /** How long the write takes to reach the server and be carried out there. */
  transitMs: fc.nat(3000),
});

describe('two candidates', () => {
  const DURATION = 15_000;
  const DEADLINE = 10_000;

  it('never lead at the same time, whatever is lost, late or stopped', () => {
    fc.assert(
      fc.property(
        fc.array(stepOf, { maxLength: 80 }),
        fc.nat(1e6),
        fc.nat(1e6),
        (steps, offset0, offset1) => {
          let now = 0;
          let stored: Lease = { ...LEASE, metadata: { name: 'l', resourceVersion: '1' } };
          // The two clocks have nothing to do with each other.
          const clocks = [offset0, offset1].map((offset) => () => at(now + offset));
          const terms = clocks.map((clock) => new Term(DEADLINE, clock));
          const seen: (Observation | undefined)[] = [undefined, undefined];
          for (const { who, afterMs, fate, transitMs } of steps) {
            now += afterMs;
            const clock = clocks[who] as () => Instant;
            const term = terms[who] as Term;
            const read = stored;
            const observed = observe(seen[who], read, clock());
            seen[who] = observed;
            const mine = read.spec?.holderIdentity === `c${who}` && term.isLeading();
            if (!mine && !mayTake(read, observed, clock(), DURATION)) continue;
            const sent = clock();
            now += transitMs;
            if (fate === 'lost request') continue;
            const version = String(Number(stored.metadata.resourceVersion) + 1);
            const written = held(read, { identity: `c${who}`, leaseDurationMs: DURATION }, new Date(now));
            stored = { ...written, metadata: { name: 'l', resourceVersion: version } };
            if (fate === 'ok') term.renewedAt(sent);
            assert.ok(!(terms[0]?.isLeading() && terms[1]?.isLeading()), 'both lead');
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});
