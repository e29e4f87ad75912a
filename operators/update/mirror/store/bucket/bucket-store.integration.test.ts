import { after, describe } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { storeTests } from '../testing/store-tests.ts';
import { BucketServer, findBucketServer } from './testing/bucket-server.ts';
import { newBucket, type BucketUnderTest } from './testing/new-bucket.ts';

const found = await findBucketServer();
if (found.skip !== false) console.log(`the store in a bucket is not tested: ${found.skip}`);

await describe('the store in a bucket', { skip: found.skip }, async () => {
  if (found.skip !== false) return;
  const root = await guardedDirectory('careen-bucket-');
  const server = await BucketServer.start(found.program, root);
  const made: BucketUnderTest[] = [];
  after(async () => {
    for (const one of made) one.close();
    await root.remove();
  });

  storeTests(async () => {
    const one = await newBucket(server, root.path);
    made.push(one);
    return one;
  });
});
