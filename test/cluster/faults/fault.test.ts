import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Arsenal } from './armed.ts';
import { FaultyEvents } from './events.ts';
import { concerns, type Fault, type Seen } from './fault.ts';
import { tokenSubject } from './identity.ts';

const SEEN: Seen = { method: 'PUT', path: '/apis/x', watch: false, user: 'u', userAgent: 'careen-update' };
const WATCH: Seen = { ...SEEN, method: 'GET', watch: true };

async function spoiled(fault: Fault, lines: string[]): Promise<string> {
  const events = new FaultyEvents(fault);
  for (const line of lines) events.write(`${line}\n`);
  events.end();
  const chunks = await events.toArray();
  return Buffer.concat(chunks as Buffer[]).toString();
}

describe('a fault', () => {
  it('meets the requests that fit in every point', () => {
    const kind = 'drop-before';
    assert.ok(concerns({ kind }, SEEN));
    assert.ok(
      concerns({ kind, match: { method: 'PUT', path: /^\/apis/, write: true, userAgent: /update/ } }, SEEN),
    );
    assert.ok(!concerns({ kind, match: { method: 'PUT', user: 'another' } }, SEEN));
    assert.ok(!concerns({ kind, match: { write: false } }, SEEN));
    assert.ok(!concerns({ kind: 'freeze-watch' }, SEEN) && concerns({ kind: 'freeze-watch' }, WATCH));
  });

  it('strikes as often and as likely as was said, the first one first', () => {
    const dice = [0.9, 0.1, 0.1];
    const arsenal = new Arsenal(() => dice.shift() ?? 0);
    const rare = arsenal.add({ kind: 'drop-after', probability: 0.5, times: 1 });
    const sure = arsenal.add({ kind: 'hang', times: 1 });
    const struck = [1, 2, 3].map(() => arsenal.strike(SEEN)?.kind);
    assert.deepEqual(struck, ['hang', 'drop-after', undefined]);
    assert.deepEqual([rare.hits, sure.hits], [1, 1]);
    sure.remove();
  });

  it('spoils a watch in the way it says', async () => {
    const lines = ['{"a":1}', '{"b":2}', '{"c":3}'];
    assert.equal(await spoiled({ kind: 'truncate-watch', afterEvents: 1 }, lines), '{"a":1}\n{"b');
    assert.equal(await spoiled({ kind: 'garble-watch' }, lines), '{"a\n{"b":2}\n{"c":3}\n');
    assert.equal(await spoiled({ kind: 'freeze-watch', afterEvents: 2 }, lines), '{"a":1}\n{"b":2}\n');
    assert.match(await spoiled({ kind: 'expire-watch' }, lines), /^\{"type":"ERROR".*410.*\}\n$/);
    assert.equal(await spoiled({ kind: 'duplicate-events' }, ['1', '2']), '1\n1\n2\n2\n1\n');
  });

  it('knows a service account by its token', () => {
    const claims = Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:a:b' })).toString('base64url');
    assert.equal(tokenSubject(`Bearer x.${claims}.y`), 'system:serviceaccount:a:b');
    assert.equal(tokenSubject('Bearer opaque'), '');
  });
});
