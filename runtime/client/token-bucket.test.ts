import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

describe('the token bucket', () => {
  it('lets a burst through and then keeps the pace', () => {
    const bucket = new TokenBucket({ qps: 10, burst: 3, now: () => 0 });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => bucket.take()),
      [0, 0, 0, 100, 200],
    );
  });

  it('never lets more than burst + rate × time through in any span', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 100 }), (gaps) => {
        let now = 0;
        const bucket = new TokenBucket({ qps: 10, burst: 5, now: () => now });
        const used = gaps.map((gap) => {
          now += gap;
          return now + bucket.take();
        });
        return used.every((first, i) =>
          used.slice(i).every((last, n) => n + 1 <= 5 + ((last - first) / 1000) * 10 + 1e-6),
        );
      }),
    );
  });

  it('gives a token only if there is one, when it may not wait', () => {
    let now = 0;
    const bucket = new TokenBucket({ qps: 1, burst: 1, now: () => now });
    assert.deepEqual([bucket.tryTake(), bucket.tryTake()], [true, false]);
    now = 1000;
    assert.equal(bucket.tryTake(), true);
  });
});
