import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { until } from '#test/cluster/until.ts';
import { content, NEVER, newTree } from '../testing/store-tests.ts';
import { blobKey } from './bucket-tree.ts';
import { Multipart } from './multipart.ts';
import { BucketGround } from './testing/bucket-ground.ts';
import { findBucketServer } from './testing/bucket-server.ts';
import { fails } from './testing/failure.ts';
import { LEAST_PART, type BucketUnderTest } from './testing/new-bucket.ts';

/** For a machine that does much else. */
const PATIENCE = { timeoutMs: 180_000 };
const UPLOADED_PART = /^PUT .*partNumber=/;

const found = await findBucketServer();
if (found.skip !== false) console.log(`uploads to a bucket are not tested: ${found.skip}`);

describe('an upload to a bucket', { skip: found.skip }, () => {
  let ground: BucketGround;
  before(async () => {
    if (found.skip === false) ground = await BucketGround.start(found.program);
  });
  afterEach(() => ground.calm());
  after(() => ground?.stop());

  /** Three parts. */
  const LARGE = content(1, 2 * LEAST_PART + 4321);

  test('an upload that broke off goes on with the parts that are there', async () => {
    const { store, bucket, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [LARGE]);
    ground.proxy.fault = (line) =>
      /partNumber=3/.test(line) ? { status: 500, code: 'InternalError' } : undefined;
    await fails(store.publish(tree, files, NEVER), 'Unreachable');
    assert.deepEqual(await store.trees(), []);
    assert.equal((await new Multipart(bucket).begun('blobs/')).length, 1);

    ground.proxy.fault = () => undefined;
    ground.proxy.requests.length = 0;
    await store.publish(tree, files, NEVER);
    assert.equal(ground.proxy.count(UPLOADED_PART), 1);
    assert.equal(hash('sha256', await buffer(await store.read(tree.digest, 0, LARGE.length))), tree.digest);
    assert.deepEqual(await new Multipart(bucket).begun('blobs/'), []);
  });

  test('a part of something else, left by another upload, is sent again', async () => {
    const { store, bucket, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [LARGE]);
    const multipart = new Multipart(bucket);
    const upload = { key: blobKey(tree.digest), id: await multipart.begin(blobKey(tree.digest)) };
    const body = content(99, LEAST_PART);
    await multipart.put(upload, 2, { body, checksum: hash('sha256', body, 'base64') }, NEVER);
    await store.publish(tree, files, NEVER);
    assert.equal(hash('sha256', await buffer(await store.read(tree.digest, 0, LARGE.length))), tree.digest);
  });

  test('answers that are lost change nothing', async () => {
    const { store, work, blobs } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [LARGE, content(2, 50)]);
    const lost = new Set<string>();
    // Of each request that changes something the first answer is lost, though it was carried out.
    ground.proxy.fault = (line) => {
      const isFirst = !line.startsWith('GET') && !lost.has(line);
      lost.add(line);
      return isFirst ? 'lost' : undefined;
    };
    await until('it is published', () => store.publish(tree, files, NEVER).then(() => true), PATIENCE);
    ground.proxy.fault = () => undefined;
    assert.deepEqual(await store.trees(), [tree]);
    assert.deepEqual(await blobs(), tree.files.map(({ sha256 }) => sha256).toSorted());
  });

  test('a file that is not what was verified becomes no object, and leaves no upload', async () => {
    const { store, bucket, work, blobs } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [LARGE]);
    const other = await newTree(work, '1.0.0', [content(5, LARGE.length)]);
    const path = other.files[0]?.path ?? '';
    await assert.rejects(
      store.publish(tree, [{ sha256: files[0]?.sha256 ?? '', path }], NEVER),
      ({ code }: { code: string }) => code === 'DigestMismatch',
    );
    assert.deepEqual([await blobs(), await new Multipart(bucket).begun('')], [[], []]);
  });

  test('what was given up is swept; what is asked to end goes on later', async () => {
    const { store, bucket, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [LARGE]);
    const ending = new AbortController();
    ground.proxy.fault = (line) => {
      if (!/partNumber=2/.test(line)) return undefined;
      ending.abort(new Error('leadership lost'));
      return { status: 503, code: 'SlowDown' }; // the server never begins what is not there any more
    };
    await assert.rejects(store.publish(tree, files, ending.signal), /leadership lost/);
    const multipart = new Multipart(bucket);
    await store.open();
    assert.equal((await multipart.begun('blobs/')).length, 1, 'of today: kept');
    await store.clear();
    assert.deepEqual(await multipart.begun('blobs/'), []);
  });

  test('two that publish the same at once make one object', async () => {
    const { store, again, work, blobs } = await ground.bucket();
    const copies = [await newTree(work, '1.0.0', [LARGE]), await newTree(work, '1.0.0', [LARGE])];
    const stores = [store, await again()];
    const [{ tree }] = copies as [(typeof copies)[0]];
    // One may find its upload completed by the other; then it says so, and has it at the next attempt.
    await until(
      'both have it',
      async () => {
        const ends = await Promise.allSettled(
          copies.map(async ({ files }, index) => stores[index]?.publish(tree, files, NEVER)),
        );
        return ends.some(({ status }) => status === 'fulfilled');
      },
      PATIENCE,
    );
    for (const one of stores) {
      assert.equal(hash('sha256', await buffer(await readAll(one, tree.digest, LARGE.length))), tree.digest);
    }
    assert.deepEqual(await blobs(), [tree.digest]);
  });
});

async function readAll(store: BucketUnderTest['store'], digest: string, size: number) {
  assert.deepEqual((await store.tree(digest))?.digest, digest);
  return store.read(digest, 0, size);
}
