import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '#runtime/client/client.ts';
import { allWell } from './all-well.ts';
import type { Check, Release } from './check.ts';

const release: Release = {
  client: {} as KubeClient, // never asked: the checks are ours
  namespace: 'careen-system',
  agentNamespace: 'careen-agent',
  dial: true,
};

async function outcome(checks: Record<string, Check>, ms = 10_000): Promise<[boolean, string[]]> {
  const lines: string[] = [];
  const isWell = await allWell(
    release,
    AbortSignal.timeout(ms),
    (line) => lines.push(line),
    Object.entries(checks),
  );
  return [isWell, lines.toSorted()];
}

test('all is well when every check is, and each says why', async () => {
  const checks: Record<string, Check> = {
    one: async () => ({ well: 'it is there' }),
    two: async () => ({ well: 'this too' }),
  };
  assert.deepEqual(await outcome(checks), [true, ['ok    one: it is there', 'ok    two: this too']]);
});

test('what is not well yet is looked at again', async () => {
  let looks = 0;
  const slow: Check = async () => ((looks += 1) < 2 ? { unwell: 'not yet' } : { well: 'now' });
  assert.deepEqual(await outcome({ slow }), [true, ['ok    slow: now']]);
});

test('what never gets well fails when time is up, with its last words; an error counts as words', async () => {
  const checks: Record<string, Check> = {
    good: async () => ({ well: 'yes' }),
    bad: async () => ({ unwell: 'no' }),
    broken: async () => {
      throw new Error('no such thing');
    },
  };
  assert.deepEqual(await outcome(checks, 50), [
    false,
    ['FAIL  bad: no', 'FAIL  broken: no such thing', 'ok    good: yes'],
  ]);
});
