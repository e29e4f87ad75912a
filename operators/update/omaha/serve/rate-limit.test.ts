import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { clientAddress, parseNetworks } from './client-address.ts';
import { RateLimit } from './rate-limit.ts';

describe('a rate limit', () => {
  it('lets through its burst, and then as many as its rate, whenever they come', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 200 });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 5 }),
        (waits, burst, perSecond) => {
          const limit = new RateLimit({ burst, perSecond });
          let now = 0;
          let passed = 0;
          for (const wait of waits) {
            now += wait;
            if (limit.take('one', now) === undefined) passed += 1;
            assert.ok(passed <= burst + (now / 1000) * perSecond);
          }
        },
      ),
    );
  });

  it('says when to come again, and that is when it lets through', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 0.5 });
    assert.equal(limit.take('one', 0), undefined);
    assert.equal(limit.take('one', 0), 2);
    assert.equal(limit.take('other', 0), undefined);
    assert.equal(limit.take('one', 2000), undefined);
  });

  it('remembers a bounded number of callers', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 });
    for (let caller = 0; caller < 100_500; caller++) limit.take(`c${caller}`, 0);
    assert.equal(limit.size, 100_000);
  });

  it('may be none', () => {
    const limit = new RateLimit({ burst: 0, perSecond: 0 });
    assert.equal(limit.take('one', 0), undefined);
    assert.equal(limit.size, 0);
  });
});

describe('the address of a client', () => {
  it('is that of the socket, without the prefix for IPv4', () => {
    assert.equal(clientAddress('::ffff:192.0.2.1', '198.51.100.1', parseNetworks('')), '192.0.2.1');
  });

  it('is the last hop before the trusted proxies', () => {
    const trusted = parseNetworks('10.0.0.0/8,fd00::/8');
    assert.equal(clientAddress('10.0.0.1', '1.1.1.1, 192.0.2.1, 10.2.2.2', trusted), '192.0.2.1');
    assert.equal(clientAddress('fd00::1', '2001:db8::1', trusted), '2001:db8::1');
  });

  it('is not asked of networks that are none', () => {
    for (const text of ['10.0.0.0/33', 'proxy', '10.0.0.0/x'])
      assert.throws(() => parseNetworks(text), RangeError);
  });
});
