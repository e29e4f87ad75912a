import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ConfigError } from '../config-error.ts';
import type { Owned } from './owned.ts';
import { planFiles } from './plan-files.ts';
import type { FilePlan } from './plan-files.ts';
import { ABSENT, sameState } from './state.ts';
import type { State } from './state.ts';
import type { Wanted } from './wanted.ts';

type Disk = ReadonlyMap<string, State>;

const DIRECTORY: State = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };
const PATHS = ['/etc/a', '/etc/b', '/etc/d/x', '/etc/d/y', '/etc/d/e/z'];

function fileOf(text: string, mode = 0o644): Extract<State, { type: 'file' }> {
  return { type: 'file', sha256: text.padEnd(64, '0'), size: 1, mode, uid: 0, gid: 0 };
}

const content = fc.constantFrom(fileOf('1'), fileOf('2'), fileOf('1', 0o600));
const state = fc.oneof(
  content,
  fc.constantFrom<State>(ABSENT, { type: 'link', target: 'x', uid: 0, gid: 0 }),
);
const wanted = fc
  .dictionary(fc.constantFrom(...PATHS), fc.tuple(content, fc.constantFrom('Restore', 'Delete', 'Keep')))
  .map((items) =>
    Object.entries(items)
      .map(([path, [state, onRemove]]): Wanted => ({ path, state, onRemove, ...COMMON }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  );
const COMMON = { sensitive: false, critical: false, drift: 'Heal', from: ['c'] } as const;
const disk = fc
  .dictionary(fc.constantFrom('/etc/a', '/etc/b'), state)
  .map((items) => new Map(Object.entries(items)));

function plan(items: readonly Wanted[], owned: readonly Owned[], on: Disk): FilePlan {
  return planFiles({
    wanted: items,
    owned,
    disk: (path) => on.get(path) ?? (path === '/etc' ? DIRECTORY : ABSENT),
  });
}

/** Carries a plan out, refusing what a file system would refuse. */
function after({ changes }: FilePlan, on: Disk): Disk {
  const found = new Map(on);
  for (const { path, before, after: state } of changes) {
    assert.ok(sameState(found.get(path) ?? ABSENT, before), `${path} was something else`);
    const parent = dirname(path);
    assert.ok(state.type === 'absent' || parent === '/etc' || found.get(parent)?.type === 'directory', path);
    if (state.type === 'absent') {
      // A directory in which something was kept stays.
      if (![...found.keys()].some((other) => other.startsWith(`${path}/`))) found.delete(path);
    } else found.set(path, state);
  }
  return found;
}

function restoring(items: readonly Wanted[]): Wanted[] {
  return items.map((item) => ({ ...item, onRemove: 'Restore' }));
}

function present(on: Disk): Record<string, State> {
  return Object.fromEntries([...on].filter(([, { type }]) => type !== 'absent'));
}

test('after a plan is carried out, nothing is left to do, and everything is as it is wanted', () => {
  fc.assert(
    fc.property(wanted, wanted, disk, (first, second, start) => {
      const one = plan(first, [], start);
      const middle = after(one, start);
      const two = plan(second, one.owned, middle);
      const end = after(two, middle);
      for (const { path, state } of second) assert.deepEqual(end.get(path), state, path);
      assert.deepEqual(plan(second, two.owned, end).changes, []);
    }),
    { numRuns: 3000 },
  );
});

test('what is taken away again leaves the disk as it was, but for what is kept or deleted', () => {
  fc.assert(
    fc.property(wanted, wanted, disk, (first, second, start) => {
      const one = plan(restoring(first), [], start);
      const middle = after(one, start);
      const two = plan(restoring(second), one.owned, middle);
      const end = after(two, middle);
      const three = plan([], two.owned, end);
      assert.deepEqual(present(after(three, end)), present(start));
      assert.deepEqual(three.owned, []);
    }),
    { numRuns: 3000 },
  );
});

test('a path that another config still wants is replaced, never deleted and made again (A15)', () => {
  fc.assert(
    fc.property(wanted, wanted, disk, (first, second, start) => {
      const one = plan(first, [], start);
      const { changes } = plan(second, one.owned, after(one, start));
      const paths = changes.map(({ path }) => path);
      assert.equal(new Set(paths).size, paths.length);
      for (const { path, after: state } of changes) {
        if (second.some((item) => item.path === path)) assert.notEqual(state.type, 'absent');
      }
    }),
  );
});

test('a fifo, a device or a directory in the way is not taken over (A5)', () => {
  const item: Wanted = { path: '/etc/a', state: fileOf('1'), onRemove: 'Restore', ...COMMON };
  for (const obstacle of [DIRECTORY, { type: 'other', what: 'fifo' } as const]) {
    assert.throws(
      () => plan([item], [], new Map([['/etc/a', obstacle]])),
      (error) => error instanceof ConfigError && error.code === 'TargetBusy' && error.path === '/etc/a',
    );
  }
  const owned = plan([item], [], new Map()).owned;
  const [change] = plan([item], owned, new Map([['/etc/a', { type: 'other', what: 'fifo' }]])).changes;
  assert.deepEqual(change?.after, item.state);
});
