import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRecord } from '../record/record.ts';
import type { AgentRecord } from '../record/record.ts';
import { carryOut } from './carry-out.ts';
import type { Context } from './context.ts';

const slot = (name: string, booted: boolean) => ({
  name,
  partUUID: name,
  priority: 1,
  tries: 0,
  successful: true,
  booted,
  next: booted,
});

/** The slots that are cleared when what is staged in B is dropped while `running` runs. */
async function cleared(running: 'A' | 'B'): Promise<{ clears: number; record: AgentRecord }> {
  let clears = 0;
  const instant = '2026-01-01T12:00:00.000Z';
  const staged = { version: '2.0.0', attempt: 1, slot: 'B', partUUID: 'B', digest: 'd', size: 1 };
  const context = {
    parts: { records: { write: async () => undefined } },
    engine: { clear: async () => void (clears += 1) },
    facts: {
      engine: { slots: [slot('A', running === 'A'), slot('B', running === 'B')] },
      record: { ...emptyRecord(), staged: { ...staged, requestedAt: instant } },
    },
  } as unknown as Context;
  const record = await carryOut({ do: 'drop', why: '' }, context);
  return { clears, record };
}

test('what is dropped is made unselectable, unless somebody booted it: then the other slot is the way back', async () => {
  assert.deepEqual(await cleared('A'), { clears: 1, record: emptyRecord() });
  assert.deepEqual(await cleared('B'), { clears: 0, record: emptyRecord() });
});
