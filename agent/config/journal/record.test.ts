import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeRecords, encodeRecord } from './record.ts';
import type { JournalRecord } from './record.ts';

const record = fc.oneof(
  fc.constantFrom<JournalRecord>({ record: 'staged' }, { record: 'switching' }, { record: 'switched' }),
  fc.record(
    {
      record: fc.constant('step' as const),
      step: fc.string(),
      state: fc.constantFrom('Started' as const, 'Done' as const, 'Failed' as const),
      undo: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
);

test('a torn end is ignored, and all before it counts (A2)', () => {
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, at) => {
      const lines = records.map((one) => Buffer.from(encodeRecord(one)));
      const bytes = Buffer.concat(lines);
      const cut = bytes.length === 0 ? 0 : at % (bytes.length + 1);
      let whole = 0;
      let length = 0;
      for (const line of lines) {
        if (length + line.length > cut) break;
        length += line.length;
        whole++;
      }
      assert.deepEqual(decodeRecords(bytes.subarray(0, cut)), { records: records.slice(0, whole), length });
    }),
    { numRuns: 2000 },
  );
});

test('what a disk made of a record that was not written out is never taken for one (A2)', () => {
  const good = Buffer.from(encodeRecord({ record: 'staged' }));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(good);
      const where = at % (good.length - 1);
      bytes[where] = (bytes[where] ?? 0) ^ flip;
      assert.deepEqual(decodeRecords(Buffer.concat([bytes, good])).records, []);
    }),
  );
  assert.deepEqual(decodeRecords(Buffer.alloc(4096)), { records: [], length: 0 });
});
