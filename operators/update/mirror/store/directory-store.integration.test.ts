import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { DirectoryStore } from './directory-store.ts';
import { storeTests, type StoreUnderTest } from './testing/store-tests.ts';

await describe('the store in a directory', async () => {
  const root = await guardedDirectory('careen-store-');
  after(() => root.remove());

  storeTests(async (): Promise<StoreUnderTest> => {
    const directory = await mkdtemp(join(root.path, 'store-'));
    const work = join(directory, 'work');
    await mkdir(work);
    const blob = (sha256: string) => join(directory, 'blobs', sha256);
    const store = new DirectoryStore(directory);
    await store.open();
    return {
      store,
      work,
      again: async () => new DirectoryStore(directory),
      blobs: async () => (await readdir(join(directory, 'blobs'))).toSorted(),
      damage: async (sha256, how) => {
        if (how === 'remove') return rm(blob(sha256));
        if (how === 'cut') return truncate(blob(sha256), 1000);
        const bytes = await readFile(blob(sha256));
        bytes.writeUInt8(bytes.readUInt8(77) ^ 1, 77);
        await writeFile(blob(sha256), bytes);
      },
    };
  });
});
