import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFresh } from './freshness.ts';
import type { Manifest } from './manifest.ts';

const manifest = {
  version: '2.0.0',
  created: '2026-01-01T00:00:00.000Z',
  expires: '2026-02-01T00:00:00.000Z',
} as Manifest;
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

test('a manifest is taken until the instant at which it expires', () => {
  checkFresh(manifest, Date.parse('2026-01-31T23:59:59.999Z'));
  assert.throws(() => checkFresh(manifest, Date.parse('2026-02-01T00:00:00.000Z')), code('ManifestExpired'));
});

test('a clock before the publication is reported as such, small differences apart', () => {
  checkFresh(manifest, Date.parse('2025-12-31T23:55:00.000Z'));
  assert.throws(() => checkFresh(manifest, Date.parse('2025-12-31T23:54:59.999Z')), code('ClockWrong'));
});

test('a manifest without dates never expires', () => {
  checkFresh({ version: '2.0.0' } as Manifest, 0);
});
