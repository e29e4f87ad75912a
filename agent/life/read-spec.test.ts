import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { NodeState } from '#api/kinds.ts';
import { nodeStateStatus } from '#api/node-state.ts';
import { readSpec, wishIn } from './read-spec.ts';

const object = (spec: unknown) => ({ metadata: { name: 'n' }, spec }) as unknown as NodeState;

test('a spec is read, fields that are not known left out', () => {
  const spec = { update: { version: '2.0.0', colour: 'blue' }, shape: 'round' };
  assert.deepEqual(readSpec(object(spec)), { spec: { update: { version: '2.0.0' } } });
  assert.deepEqual(readSpec(object({})), { spec: {} });
});

test('a health check of a kind that is not known is no check that is', () => {
  const update = { version: '2.0.0', attempt: 3, health: { checks: [{ name: 'x', tpm: {} }] } };
  const { spec, problem } = readSpec(object({ update }));
  assert.equal(spec, undefined);
  assert.match(problem?.message ?? '', /health\.checks\.0: give exactly one of/);
  assert.deepEqual(wishIn(object({ update })), { version: '2.0.0', attempt: 3 });
});

test('whatever comes as a spec, reading ends in a spec or in an error that status can hold', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (whole, update) => {
      for (const spec of [whole, { update }, { update: { version: update } }]) {
        const { problem } = readSpec(object(spec));
        if (problem === undefined) continue;
        const status = { update: { phase: 'Failed', error: problem, since: '2026-01-01T12:00:00.000Z' } };
        assert.ok(nodeStateStatus.safeParse(status).success);
        wishIn(object(spec));
      }
    }),
    { numRuns: 2000 },
  );
});
