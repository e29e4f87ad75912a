import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Build } from '#api/build.ts';
import type { Release } from '#api/channel-source.ts';
import type { WholeChannel } from '../../channel/read-channel.ts';
import { keyFingerprint } from '../../channel/trusted-key.ts';
import { treeBytes, type Tree } from '../store/tree.ts';
import { mirrorEntries, releaseKey } from './mirror-status.ts';
import { isTreeOf, planMirror } from './plan-mirror.ts';
import { wantedReleases, type WantedRelease } from './wanted.ts';

const build = (major: number, size: number): Build => ({
  architecture: 'amd64',
  codebases: ['http://up/'],
  packages: [{ name: 'a.gz', size, sha256: Buffer.alloc(32, major).toString('base64'), required: true }],
});
const release = (major: number, floor = false, size = 10): Release => ({
  version: `${major}.0.0`,
  floor,
  builds: [build(major, size)],
});
const channel = (known: Release[], blocked: string[] = []): WholeChannel => ({
  name: 'c',
  blocked: new Set(blocked),
  keys: [],
  updateKeys: ['key'],
  releases: [],
  waiting: [],
  known,
});
const treeOf = ({ version, variant, digest = '', bytes = 0 }: WantedRelease): Tree => ({
  digest,
  version,
  variant,
  key: keyFingerprint('key'),
  files: [{ name: 'a.gz', sha256: digest, size: bytes }],
});
const versions = (wanted: readonly WantedRelease[]) => wanted.map(({ version }) => version);

describe('a mirror', () => {
  it('wants the target, floors, pins and the newest few, in this order, and nothing that is blocked', () => {
    const known = [9, 8, 7, 6, 5, 4].map((major) => release(major, major === 5));
    const wanted = wantedReleases(channel(known, ['9.0.0']), 2, new Set(['6.0.0']));
    assert.deepEqual(versions(wanted), ['8.0.0', '6.0.0', '5.0.0', '7.0.0']);
  });

  it('holds nothing that a key verified which is not trusted any more', () => {
    const [wanted] = wantedReleases(channel([release(1)]), 1, new Set());
    assert.ok(wanted);
    assert.ok(isTreeOf(treeOf(wanted), wanted));
    assert.ok(!isTreeOf({ ...treeOf(wanted), key: 'gone' }, wanted));
    assert.ok(!isTreeOf({ ...treeOf(wanted), digest: 'f'.repeat(64) }, wanted));
  });

  it('never takes more than its limit, drops nothing it has room for, and puts the target first', () => {
    const sizes = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 50 }), held: fc.boolean(), floor: fc.boolean() }),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 5 }),
        (parts, limit, keep) => {
          const known = parts.map(({ size, floor }, index) => release(50 - index, floor, size));
          const wanted = wantedReleases(channel(known), keep, new Set());
          const all = wantedReleases(channel(known), 16, new Set()).map(treeOf);
          const held = all.filter((tree) => parts[50 - Number(tree.version.split('.')[0])]?.held === true);
          const { drop, fetch, noRoom } = planMirror({ wanted, held, limit });
          const kept = held.filter(({ digest }) => !drop.includes(digest));
          const bytes = [...kept.map(treeBytes), ...fetch.map((one) => one.bytes ?? 0)];
          assert.ok(bytes.reduce((sum, size) => sum + size, 0) <= limit);
          for (const one of wanted) {
            const isThere = kept.some((tree) => isTreeOf(tree, one));
            assert.equal([isThere, fetch.includes(one), noRoom.includes(one)].filter(Boolean).length, 1);
          }
          const [first] = wanted;
          if (first !== undefined && (first.bytes ?? 0) <= limit) assert.ok(!noRoom.includes(first));
        },
      ),
    );
  });

  it('tells what it holds and where, why something is missing, and remembers what it verified', () => {
    const wanted = wantedReleases(channel([3, 2, 1].map((major) => release(major))), 3, new Set());
    const [held, failed, pending] = wanted;
    assert.ok(held && failed && pending);
    const facts = {
      wanted,
      known: new Set(['3.0.0', '2.0.0', '1.0.0', '0.9.0']),
      held: [treeOf(held)],
      failures: new Map([[releaseKey(failed), 'hash']]),
      baseURL: 'http://m',
    };
    const old = {
      version: '0.9.0',
      variant: 'amd64',
      state: 'Held',
      digest: 'd',
      key: 'k',
      url: 'u',
      since: 'old',
    } as const;
    const entries = mirrorEntries([old, { ...old, version: '0.8.0' }], facts, 'now');
    assert.deepEqual(
      entries.map(({ version, state, url, message, since }) => [version, state, url, message, since]),
      [
        ['0.9.0', 'Released', undefined, undefined, 'now'],
        ['1.0.0', 'Fetching', undefined, undefined, 'now'],
        ['2.0.0', 'Failed', undefined, 'hash', 'now'],
        ['3.0.0', 'Held', `http://m/payloads/${held.digest}/`, undefined, 'now'],
      ],
    );
    assert.deepEqual(mirrorEntries(entries, facts, 'later'), entries);
  });
});
