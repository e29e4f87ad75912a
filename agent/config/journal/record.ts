import { createHash } from 'node:crypto';
import { z } from 'zod';
import { changeSchema } from '../plan/change.ts';
import { ownedSchema } from '../plan/owned.ts';

/** What a transaction is about, in words of who ordered it: carried through, never looked into. */
export const metaSchema = z.record(z.string(), z.json());
export type Meta = z.infer<typeof metaSchema>;

/** One line of a transaction's journal. */
export const recordSchema = z.discriminatedUnion('record', [
  z.strictObject({
    record: z.literal('begin'),
    id: z.string().regex(/^[0-9a-f]{16}$/),
    /** A healing is not what anybody waits for: it is finished by whoever finds it. */
    purpose: z.enum(['Apply', 'Heal']),
    meta: metaSchema,
    changes: z.array(changeSchema),
    /** What Careen owns once it is kept. */
    owned: z.array(ownedSchema),
  }),
  /** All that is new lies beside what it replaces. */
  z.strictObject({ record: z.literal('staged') }),
  /** From here on a crash is followed by going forward, as everything is at hand. */
  z.strictObject({ record: z.literal('switching') }),
  /** All is in its place, for good. */
  z.strictObject({ record: z.literal('switched') }),
  /** Something outside of the files: an action, a probe. `undo` is the same on the way back. */
  z.strictObject({
    record: z.literal('step'),
    step: z.string(),
    state: z.enum(['Started', 'Done', 'Failed']),
    undo: z.boolean(),
    message: z.string().optional(),
  }),
]);
export type JournalRecord = z.infer<typeof recordSchema>;
export type Begin = Extract<JournalRecord, { record: 'begin' }>;
export type StepRecord = Extract<JournalRecord, { record: 'step' }>;

/** `<checksum> <JSON>\n`: a line that a power cut has torn does not match. */
export function encodeRecord(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `${checksum(text)} ${text}\n`;
}

/** The records up to the first torn one, and how many bytes they take. */
export function decodeRecords(bytes: Buffer): { records: JournalRecord[]; length: number } {
  const records: JournalRecord[] = [];
  let length = 0;
  for (;;) {
    const end = bytes.indexOf('\n', length);
    const record = end < 0 ? undefined : decodeLine(bytes.toString('utf8', length, end));
    if (record === undefined) return { records, length };
    records.push(record);
    length = end + 1;
  }
}

function decodeLine(line: string): JournalRecord | undefined {
  const [sum, text] = [line.slice(0, 16), line.slice(17)];
  if (line[16] !== ' ' || checksum(text) !== sum) return undefined;
  return recordSchema.parse(JSON.parse(text));
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
