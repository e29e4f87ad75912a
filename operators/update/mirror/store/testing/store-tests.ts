import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import type { PayloadStore, VerifiedFile } from '../payload-store.ts';
import type { Tree } from '../tree.ts';

/** A blob has other bytes, fewer, or is gone. */
export type Damage = 'replace' | 'cut' | 'remove';

/** A store, empty, and what a test does to it from outside. */
export interface StoreUnderTest {
  store: PayloadStore;
  /** A directory for files. */
  work: string;
  /** Another program that has the same payloads. */
  again: () => Promise<PayloadStore>;
  /** The SHA-256 of all blobs that are there. */
  blobs: () => Promise<string[]>;
  damage: (sha256: string, how: Damage) => Promise<void>;
}

const MEBIBYTE = 1024 * 1024;
export const { signal: NEVER } = new AbortController();

/** Bytes that are the same for the same seed, and have no repeats that would hide a mistake. */
export function content(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, word = seed + 1; at + 4 <= size; at += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(word, at);
  }
  return bytes;
}

/** A verified tree of files with these contents, ready to be published. */
export async function newTree(
  work: string,
  version: string,
  contents: readonly Buffer[],
): Promise<{ tree: Tree; files: VerifiedFile[] }> {
  const place = await mkdtemp(join(work, 'files-'));
  const files = await Promise.all(
    contents.map(async (bytes, index) => {
      const path = join(place, `file-${index}`);
      await writeFile(path, bytes);
      return { path, sha256: hash('sha256', bytes) };
    }),
  );
  const named = files.map(({ sha256 }, index) => ({
    name: `file-${index}`,
    sha256,
    size: contents[index]?.length ?? 0,
  }));
  const digest = named[0]?.sha256 ?? '';
  return { tree: { digest, version, variant: 'amd64', key: 'key', files: named }, files };
}

/** What every store of payloads keeps to. */
export function storeTests(make: () => Promise<StoreUnderTest>): void {
  test('a tree is there after its files, which are taken over, and gives any range of them', async () => {
    const { store, work } = await make();
    const bytes = content(1, 2 * MEBIBYTE + 777);
    const { tree, files } = await newTree(work, '1.0.0', [bytes, content(2, 1)]);
    assert.equal(await store.tree(tree.digest), undefined);
    await store.publish(tree, files, NEVER);
    assert.deepEqual(await store.tree(tree.digest), tree);
    assert.deepEqual(await store.trees(), [tree]);
    for (const { path } of files) assert.ok(!existsSync(path));
    const edges = [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE, bytes.length - 1, bytes.length];
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge > start)) {
        const part = await buffer(await store.read(tree.digest, start, end));
        assert.ok(part.equals(bytes.subarray(start, end)), `${start}-${end}`);
      }
    }
  });

  test('what is published twice is there once', async () => {
    const { store, work, blobs } = await make();
    for (let time = 0; time < 2; time += 1) {
      const { tree, files } = await newTree(work, '1.0.0', [content(3, 5000)]);
      await store.publish(tree, files, NEVER);
      assert.deepEqual(await blobs(), [tree.digest]);
    }
  });

  test('a file of two trees stays until the last of them is dropped', async () => {
    const { store, work, blobs } = await make();
    const shared = content(4, 3000);
    const one = await newTree(work, '1.0.0', [content(5, 100), shared]);
    const two = await newTree(work, '2.0.0', [content(6, 100), shared]);
    for (const { tree, files } of [one, two]) await store.publish(tree, files, NEVER);
    await store.drop(one.tree.digest);
    assert.deepEqual(await store.trees(), [two.tree]);
    const sha256 = hash('sha256', shared);
    assert.ok((await buffer(await store.read(sha256, 0, 3000))).equals(shared));
    await store.drop(two.tree.digest);
    assert.deepEqual(await blobs(), []);
  });

  test('trees that come while others go are whole', async () => {
    const { store, work } = await make();
    for (let round = 0; round < 4; round += 1) {
      const old = await newTree(work, '1.0.0', [content(10 + round, 100)]);
      await store.publish(old.tree, old.files, NEVER);
      const fresh = await newTree(work, '2.0.0', [content(20 + round, 9000), content(30 + round, 9000)]);
      await Promise.all([
        store.publish(fresh.tree, fresh.files, NEVER),
        store.drop(old.tree.digest),
        store.drop('f'.repeat(64)),
      ]);
      for (const { sha256 } of fresh.tree.files) {
        assert.equal(hash('sha256', await buffer(await store.read(sha256, 0, 9000))), sha256);
      }
      await store.drop(fresh.tree.digest);
    }
  });

  test('a read that is under way when its tree is dropped comes to its end', async () => {
    const { store, work } = await make();
    const bytes = content(7, 6 * MEBIBYTE);
    const { tree, files } = await newTree(work, '1.0.0', [bytes]);
    await store.publish(tree, files, NEVER);
    const body = await store.read(tree.digest, 0, bytes.length);
    await store.drop(tree.digest);
    assert.ok((await buffer(body)).equals(bytes));
    assert.equal(await store.tree(tree.digest), undefined);
  });

  test('what is damaged is not there any more when it is opened again; the rest is', async () => {
    const { store, work, blobs, damage, again } = await make();
    const trees: Tree[] = [];
    for (const seed of [40, 41, 42, 43]) {
      const { tree, files } = await newTree(work, `${seed}.0.0`, [content(seed, 20_000), content(50, 10)]);
      await store.publish(tree, files, NEVER);
      trees.push(tree);
    }
    const [replaced, cut, gone, whole] = trees;
    assert.ok(replaced && cut && gone && whole);
    await damage(replaced.digest, 'replace');
    await damage(cut.digest, 'cut');
    await damage(gone.digest, 'remove');
    const other = await again();
    await other.open();
    assert.deepEqual(await other.trees(), [whole]);
    assert.deepEqual(await blobs(), whole.files.map(({ sha256 }) => sha256).toSorted());
  });

  test('a digest that is none names nothing', async () => {
    const { store } = await make();
    for (const digest of ['', '..', '../trees/x', 'F'.repeat(64), 'f'.repeat(64)]) {
      assert.equal(await store.tree(digest), undefined, digest);
    }
  });
}
