import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { z } from 'zod';
import { countOrPercent, instant, rule } from '../fields.ts';
import { structural, UnrepresentableError } from './structural.ts';

suite('what the API server could not enforce is refused', () => {
  const refused: [string, z.ZodType][] = [
    ['a date', z.date()],
    ['a bigint', z.bigint()],
    ['a set', z.set(z.string())],
    ['a tuple', z.tuple([z.string(), z.int()])],
    ['anything', z.unknown()],
    ['null', z.string().nullable()],
    ['a transform', z.string().transform(Number)],
    ['a recursive type', z.lazy(() => z.string())],
    ['a union of objects', z.union([z.object({ a: z.int() }), z.object({ b: z.int() })])],
    ['a refinement without a twin', z.string().refine((text) => text !== 'x')],
    ['a format of zod', z.email()],
    ['bounded keys of a map', z.record(z.string().max(3), z.string())],
    ['a pattern with flags', z.string().regex(/^a$/i)],
    ['a pattern that looks ahead', z.string().regex(/^(?!a)/)],
    ['a pattern that refers back', z.string().regex(/^(a)\1$/)],
  ];
  for (const [what, type] of refused) {
    test(what, () => {
      assert.throws(() => structural(z.object({ field: type }), 'Kind.spec'), UnrepresentableError);
    });
  }
});

test('an error names the field', () => {
  const type = z.object({ list: z.array(z.object({ when: z.date() })) });
  assert.throws(
    () => structural(type, 'Kind.spec'),
    /^UnrepresentableError: Kind\.spec\.list\.items\.when: /,
  );
});

test('integer or string keeps the bounds of both', () => {
  assert.deepEqual(structural(countOrPercent, 'x'), {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    minimum: 0,
    maximum: 100_000,
    maxLength: 5,
    pattern: '^([0-9]|[1-9][0-9]|100)%$',
  });
});

test('a defaulted field is optional, its default is kept, and unbounded integers carry no bounds', () => {
  assert.deepEqual(structural(z.object({ count: z.int().default(3), name: z.string() }), 'x'), {
    type: 'object',
    properties: { count: { type: 'integer', default: 3 }, name: { type: 'string' } },
    required: ['name'],
  });
});

test('two rules over one schema are both emitted', () => {
  const twice = rule(
    rule(z.object({ a: z.int() }), { cel: 'self.a > 0', message: 'm1', test: ({ a }) => a > 0 }),
    { cel: 'self.a < 9', message: 'm2', test: ({ a }) => a < 9 },
  );
  assert.deepEqual(structural(twice, 'x')['x-kubernetes-validations'], [
    { rule: 'self.a > 0', message: 'm1' },
    { rule: 'self.a < 9', message: 'm2' },
  ]);
  assert.equal(twice.safeParse({ a: 0 }).success || twice.safeParse({ a: 9 }).success, false);
});

test('an instant is one of RFC 3339, on a day that exists', () => {
  for (const good of ['2026-12-24T18:00:00Z', '2026-12-24T18:00:00.123456Z', '2024-02-29T00:00:00+01:00'])
    assert.ok(instant.safeParse(good).success, good);
  for (const bad of [
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-12-24 18:00:00Z',
    '2026-12-24T18:00:00',
  ])
    assert.ok(!instant.safeParse(bad).success, bad);
});
