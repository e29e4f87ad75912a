import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, configErrorOf } from './config-error.ts';

test('errors of the system say what to do, and keep their name (A3)', () => {
  for (const [errno, code] of [
    ['ENOSPC', 'NoSpace'],
    ['EDQUOT', 'NoSpace'],
    ['EROFS', 'ReadOnly'],
    ['EIO', 'IoError'],
    ['EBUSY', 'BindMount'],
    ['ELOOP', 'SymlinkInPath'],
  ] as const) {
    const error = configErrorOf(Object.assign(new Error(errno), { code: errno }), 'writing', '/etc/a');
    assert.deepEqual([error.code, error.errno, error.path], [code, errno, '/etc/a']);
    assert.ok(error.message.includes(errno));
  }
});

test('an error that is typed already stays', () => {
  const error = new ConfigError('TargetBusy', 'x');
  assert.equal(configErrorOf(error, 'writing', '/etc/a'), error);
});
