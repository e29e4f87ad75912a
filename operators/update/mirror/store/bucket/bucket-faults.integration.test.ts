import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { createLogger } from '#runtime/log/log.ts';
import { until } from '#test/cluster/until.ts';
import { PayloadServer } from '../../serve/payload-server.ts';
import { content, NEVER, newTree } from '../testing/store-tests.ts';
import type { BucketErrorCode } from './bucket-error.ts';
import { blobKey } from './bucket-tree.ts';
import { openBucket, type BucketPlace } from './open-bucket.ts';
import { BucketGround } from './testing/bucket-ground.ts';
import { findBucketServer, SECRET_KEY } from './testing/bucket-server.ts';
import { fails } from './testing/failure.ts';
import { LEAST_PART } from './testing/new-bucket.ts';

/** For a machine that does much else. */
const PATIENCE = { timeoutMs: 180_000 };

const found = await findBucketServer();
if (found.skip !== false) console.log(`faults of a bucket are not tested: ${found.skip}`);

describe('a bucket, while things break', { skip: found.skip }, () => {
  let ground: BucketGround;
  before(async () => {
    if (found.skip === false) ground = await BucketGround.start(found.program);
  });
  afterEach(() => ground.calm());
  after(() => ground?.stop());

  test('another replica serves a tree as soon as it is there, and no more when it is gone', async () => {
    const { store, again, work } = await ground.bucket();
    const other = await again();
    await other.trees();
    const { tree, files } = await newTree(work, '1.0.0', [content(8, 5000)]);
    await store.publish(tree, files, NEVER);
    assert.deepEqual(await other.tree(tree.digest), tree);
    await store.drop(tree.digest);
    await fails(other.read(tree.digest, 0, 5000), 'Missing');
    await until('it is not shown any more', async () => (await other.tree(tree.digest)) === undefined);
  });

  test('bytes that rot in the bucket are never served, and their trees are gone', async () => {
    const { store, rot, work, blobs } = await ground.bucket();
    const bytes = content(9, 3_000_000);
    const { tree, files } = await newTree(work, '1.0.0', [bytes]);
    await store.publish(tree, files, NEVER);
    await rot(tree.digest);
    const untouched = await buffer(await store.read(tree.digest, 2_000_000, 2_000_100));
    assert.ok(untouched.equals(bytes.subarray(2_000_000, 2_000_100)));
    const body = await store.read(tree.digest, 0, bytes.length);
    const served: Buffer[] = [];
    body.on('data', (part: Buffer) => served.push(part));
    await fails(new Promise((resolve, reject) => body.on('error', reject).on('end', resolve)), 'Corrupt');
    assert.equal(Buffer.concat(served).length, 0);
    await until('it is taken away', async () => (await store.trees()).length === 0);
    assert.deepEqual(await blobs(), []);
    const renewed = await newTree(work, '1.0.0', [bytes]);
    await store.publish(renewed.tree, renewed.files, NEVER);
    assert.ok((await buffer(await store.read(tree.digest, 0, bytes.length))).equals(bytes));
  });

  test('an object that another program put in the place of ours is not served', async () => {
    const { store, damage, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [content(10, 9000)]);
    await store.publish(tree, files, NEVER);
    await damage(tree.digest, 'replace');
    await fails(store.read(tree.digest, 0, 9000), 'Changed');
    assert.deepEqual(await store.trees(), []);
    const renewed = await newTree(work, '1.0.0', [content(10, 9000)]);
    await store.publish(renewed.tree, renewed.files, NEVER);
    assert.ok((await buffer(await store.read(tree.digest, 0, 9000))).equals(content(10, 9000)));
  });

  test('a bucket that was copied elsewhere is verified, and needs no upstream server', async () => {
    const { store, bucket, again, work } = await ground.bucket();
    const bytes = content(11, LEAST_PART + 5);
    const { tree, files } = await newTree(work, '1.0.0', [bytes]);
    await store.publish(tree, files, NEVER);
    await bucket.put(blobKey(tree.digest), bytes); // as one: another ETag
    assert.deepEqual(await store.trees(), []);
    const other = await again();
    await other.open();
    assert.deepEqual(await other.trees(), [tree]);
    assert.ok((await buffer(await other.read(tree.digest, 0, bytes.length))).equals(bytes));
  });

  test('an answer that breaks off is an error, not an end', async () => {
    const { store, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [content(12, 4_000_000)]);
    await store.publish(tree, files, NEVER);
    ground.proxy.fault = (line) => (line.startsWith('GET') && line.includes('/blobs/') ? 'cut' : undefined);
    await assert.rejects(async () => buffer(await store.read(tree.digest, 0, 4_000_000)));
  });

  test('a server that asks for patience gets it, and is said to be busy when it asks for too much', async () => {
    const { store, work } = await ground.bucket();
    const { tree, files } = await newTree(work, '1.0.0', [content(13, 100)]);
    const SLOW_DOWN = { status: 503, code: 'SlowDown' };
    let once = true;
    ground.proxy.fault = (line) => {
      const isFirst = once && line.startsWith('PUT');
      if (isFirst) once = false;
      return isFirst ? SLOW_DOWN : undefined;
    };
    await store.publish(tree, files, NEVER);
    ground.proxy.fault = () => SLOW_DOWN;
    await fails(store.trees(), 'Busy');
    assert.match(store.trouble() ?? '', /asks for fewer requests/);
  });

  test('each thing that can be wrong has its own words, and no words have the secret', async () => {
    const { place } = await ground.bucket();
    const said = async (changes: Partial<BucketPlace>, code: BucketErrorCode) => {
      const bucket = await openBucket({ ...place, ...changes }, 1);
      await fails(bucket.list(''), code);
      bucket.close();
    };
    await said({ bucket: 'nobody-made-it' }, 'BucketMissing');
    await said({ region: 'eu-central-1' }, 'RegionWrong');
    await said({ endpoint: 'http://127.0.0.1:1' }, 'Unreachable');
    await ground.server.credentials('AKIASOMEBODYELSE', SECRET_KEY);
    await said({}, 'CredentialsWrong');
    await ground.server.credentials('AKIACAREENTEST', `${SECRET_KEY}-not`);
    await said({}, 'CredentialsWrong');
    await ground.server.credentials('AKIACAREENTEST', SECRET_KEY);
    await said({ credentials: '/nowhere' }, 'CredentialsWrong');
  });

  test('a server that goes away and comes back, with a certificate, is served from again', async () => {
    const { store, work, place } = await ground.bucket();
    const bytes = content(14, 100_000);
    const { tree, files } = await newTree(work, '1.0.0', [bytes]);
    await store.publish(tree, files, NEVER);
    await ground.server.kill();
    await fails(store.trees(), 'Unreachable');
    await fails(store.read(tree.digest, 0, 10), 'Unreachable');
    assert.deepEqual(await store.tree(tree.digest), tree, 'what is known stays known');
    const log = createLogger({ level: 'error', name: 'test' });
    const statuses: number[] = [];
    const served = ({ status }: { status: number }) => statuses.push(status);
    const machines = await new PayloadServer({ address: '127.0.0.1:0', store, log, served }).listen();
    const file = `http://127.0.0.1:${machines.port}/payloads/${tree.digest}/file-0`;
    const refused = await fetch(file);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
    await ground.server.start();
    const answer = await fetch(file, { headers: { range: 'bytes=500-' } });
    assert.equal(answer.headers.get('etag'), `"${tree.digest}"`);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(500)));
    // The client may have all bytes before the server has heard that they are through.
    await until('both answers are told', () => statuses.length >= 2, PATIENCE);
    assert.deepEqual(statuses, [503, 206]);
    await machines.close();
    assert.deepEqual(await store.trees(), [tree]);
    assert.equal(store.trouble(), undefined);

    await ground.server.kill();
    await ground.server.start(true);
    const { ca } = ground.server.place(place.bucket);
    const https = { ...place, endpoint: ground.server.url };
    const trusting = await openBucket({ ...https, ca }, 1);
    await until('it answers over TLS', () => trusting.list('').then(() => true), PATIENCE);
    assert.equal((await trusting.list('blobs/')).length, 1);
    trusting.close();
    const wary = await openBucket({ ...https, ca: undefined }, 1);
    await fails(wary.list(''), 'CertificateUnknown');
    wary.close();
  });
});
