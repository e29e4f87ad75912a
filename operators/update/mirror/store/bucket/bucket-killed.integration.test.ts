import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { guarded, guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { startPayloadServer, type PayloadServer } from '#test/machine/payload-server.ts';
import { FileFetcher } from '../../fetch/fetch-file.ts';
import { fetchRelease } from '../../fetch/fetch-release.ts';
import type { WantedRelease } from '../../plan/wanted.ts';
import { ReleaseMaker } from '../../testing/releases.ts';
import { NEVER } from '../testing/store-tests.ts';
import { IncomingBucket } from './incoming-bucket.ts';
import { Multipart } from './multipart.ts';
import { BucketServer, findBucketServer } from './testing/bucket-server.ts';
import { LEAST_PART, newBucket, type BucketUnderTest } from './testing/new-bucket.ts';

const found = await findBucketServer();
if (found.skip !== false) console.log(`a mirror with a bucket is not tested: ${found.skip}`);
const testing = join(import.meta.dirname, '../../testing');

describe('a mirror with a bucket', { skip: found.skip }, () => {
  let root: GuardedDirectory;
  let server: BucketServer;
  let origin: PayloadServer;
  let maker: ReleaseMaker;
  const made: BucketUnderTest[] = [];
  before(async () => {
    root = await guardedDirectory('careen-bucket-killed-');
    if (found.skip !== false) return;
    server = await BucketServer.start(found.program, root);
    await mkdir(join(root.path, 'origin'));
    origin = await startPayloadServer({ directory: join(root.path, 'origin') });
    maker = new ReleaseMaker(join(root.path, 'origin'), origin.url);
  });
  after(async () => {
    for (const one of made) one.close();
    await origin?.stop();
    await root.remove();
  });

  async function make(): Promise<BucketUnderTest> {
    const one = await newBucket(server, root.path);
    made.push(one);
    return one;
  }

  test('takes what was put into it by hand, of both kinds, and needs no upstream server for that', async () => {
    const { store, bucket, work } = await make();
    const fetcher = new FileFetcher({ backoffMs: 5, attempts: 2 });
    const places = { work, incoming: new IncomingBucket(bucket), fetcher, signal: NEVER };
    for (const release of [await maker.build('2.7.0', 300_000, 2), await maker.payload('2.8.0')]) {
      const { version } = release;
      const from = join(root.path, 'origin', version);
      const wrong = await fetchRelease({ ...release, keys: [] }, store, places).catch(({ code }) => code);
      assert.equal(wrong, 'KeyUnknown');
      for (const name of await readdir(from)) {
        await bucket.put(`incoming/${version}/${name}`, await readFile(join(from, name)));
        await writeFile(join(from, name), 'not this');
      }
      const tree = await fetchRelease(release, store, places);
      assert.equal(tree.version, version);
      await assertWhole(store);
      assert.deepEqual(await bucket.list('incoming/'), []);
    }
    await fetcher.close();
  });

  test(
    'after SIGKILL before any of its requests is whole and goes on to the end',
    { timeout: 1_100_000 },
    async () => {
      const wanted = [await maker.build('5.0.0', LEAST_PART + 1000), await maker.payload('5.1.0', 80_000)];
      let survived = false;
      for (let killAt = 1; !survived; killAt += 1 + Math.floor(killAt / 3)) {
        const one = await make();
        survived = (await run(wanted, one, killAt)) === 0;
        await assertWhole(one.store);
        assert.equal(await run(wanted, one, 0), 0, `after a kill before request ${killAt}`);
        await assertWhole(one.store);
        const left = await one.store.trees();
        assert.deepEqual(
          left.map(({ version }) => version),
          ['5.1.0'],
        );
        assert.deepEqual(await one.blobs(), left[0]?.files.map(({ sha256 }) => sha256).toSorted());
        assert.deepEqual(await new Multipart(one.bucket).begun(''), []);
      }
    },
  );

  async function run(wanted: WantedRelease[], { place }: BucketUnderTest, killAt: number): Promise<number> {
    const directory = await mkdtemp(join(root.path, 'work-'));
    const hook = ['--import', join(testing, 'killed-at.ts'), join(testing, 'fetch-process.ts')];
    const args = [...hook, JSON.stringify(wanted), directory, JSON.stringify(place)];
    const env = { ...process.env, KILL_AT: String(killAt), KILL_BEFORE: 'requests' };
    const child = await guarded(process.execPath, args, { env, stderr: 'inherit', within: root.cleanup });
    return child.exited;
  }
});

/** Everything that would be served is what its digest says. */
async function assertWhole(store: BucketUnderTest['store']): Promise<void> {
  for (const { files } of await store.trees()) {
    for (const { sha256, size } of files) {
      assert.equal(hash('sha256', await buffer(await store.read(sha256, 0, size))), sha256);
    }
  }
}
