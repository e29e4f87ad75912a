import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MirrorError, type MirrorErrorCode } from '../mirror-error.ts';
import { bytes, crau, newUpdateKey, number, rawCrau } from '../testing/crau.ts';
import { protobufFields } from './protobuf.ts';
import { verifyCrau } from './verify-crau.ts';

const [ours, theirs] = [newUpdateKey(), newUpdateKey()];
const content = randomBytes(2_500_000);
const payload = rawCrau(content, [ours]);
let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-crau-'));
});
after(() => rm(directory, { recursive: true }));

async function verify(file: Buffer, keys = [ours.pem]) {
  const path = join(directory, 'payload');
  await writeFile(path, file);
  return verifyCrau(path, keys);
}

async function refusal(file: Buffer, keys?: string[]): Promise<MirrorErrorCode> {
  const error: unknown = await verify(file, keys).then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MirrorError, String(error));
  return error.code;
}

describe('a payload of update_engine', () => {
  it('has the layout of the field: 94 bytes of manifest for one operation, 264 for one signature', () => {
    const data = randomBytes(4600);
    const partition = { size: 8192, hash: hash('sha256', 'x', 'buffer') };
    const small = crau({ keys: [ours], operations: [{ type: 1, data, blocks: 2 }], partition });
    assert.equal(small.readBigUInt64BE(12), 94n);
    assert.equal(small.length, 4978);
  });

  it('is verified by any of its signatures and any of the keys', async () => {
    const { operations, newPartition, key } = await verify(payload);
    assert.equal(operations, 3);
    assert.equal(key, ours.pem);
    assert.equal(newPartition.size, content.length);
    assert.ok(newPartition.hash.equals(hash('sha256', content, 'buffer')));
    const two = rawCrau(content, [theirs, ours]);
    assert.equal((await verify(two)).key, ours.pem);
    assert.equal((await verify(two, [theirs.pem])).key, theirs.pem);
  });

  it('by another key, or without one, is not trusted', async () => {
    assert.equal(await refusal(payload, [theirs.pem]), 'KeyUnknown');
    assert.equal(await refusal(payload, []), 'KeyUnknown');
  });

  it('is refused with one bit changed anywhere', async () => {
    const place = fc.oneof(
      fc.nat(400),
      fc.nat(payload.length - 1),
      fc.nat(263).map((at) => payload.length - 1 - at),
    );
    await fc.assert(
      fc.asyncProperty(place, fc.nat(7), async (at, bit) => {
        const changed = Buffer.from(payload);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        // The version of a signature (tag and value) is outside of what is signed, and means nothing.
        const isFree = [3, 4].includes(at - (payload.length - 264));
        if (!isFree) await refusal(changed);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused when it was cut off or goes on', async () => {
    for (const end of [0, 3, 19, 20, 60, 5000, payload.length - 1]) {
      assert.equal(await refusal(payload.subarray(0, end)), 'PayloadMalformed');
    }
    assert.equal(await refusal(Buffer.concat([payload, Buffer.alloc(1)])), 'PayloadMalformed');
  });

  it('that changed with its digest, but not its signature, is refused', async () => {
    const other = rawCrau(randomBytes(content.length), [theirs]);
    assert.equal(
      await refusal(Buffer.concat([other.subarray(0, -264), payload.subarray(-264)])),
      'KeyUnknown',
    );
    const flipped = Buffer.from(payload);
    flipped.writeUInt8(flipped.readUInt8(1_000_000) ^ 1, 1_000_000);
    assert.equal(await refusal(flipped), 'PayloadCorrupt');
  });

  it('that is a delta, or odd, is refused whoever signed it', async () => {
    const operations = [{ type: 0, data: randomBytes(4096), blocks: 1 }];
    const partition = { size: 4096, hash: hash('sha256', 'x', 'buffer') };
    const odd = (extra: Buffer, type = 0) =>
      refusal(
        crau({ keys: [ours], partition, extra, operations: operations.map((one) => ({ ...one, type })) }),
      );
    assert.equal(await odd(Buffer.alloc(0), 3), 'PayloadMalformed');
    assert.equal(await odd(number(3, 8192)), 'PayloadMalformed');
    assert.equal(await odd(bytes(8, Buffer.alloc(4))), 'PayloadMalformed');
    assert.equal(await odd(bytes(1, Buffer.concat([number(2, 2 ** 40), number(3, 1)]))), 'PayloadMalformed');
    assert.equal(await odd(bytes(10, bytes(2, number(1, 2)))), 'PayloadMalformed');
  });
});

it('any bytes are read as protobuf within their bounds, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
      try {
        let total = 0;
        for (const { value } of protobufFields(Buffer.from(array))) {
          total += typeof value === 'bigint' ? 1 : value.length;
        }
        assert.ok(total <= array.length);
      } catch (error) {
        assert.ok(error instanceof MirrorError);
      }
    }),
    { numRuns: 5000 },
  );
});
