import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  utimes,
  writeFile,
  appendFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLogger } from '#runtime/log/log.ts';
import { guarded } from '#test/cluster/guardian.ts';
import { startPayloadServer, type PayloadServer as Origin } from '#test/machine/payload-server.ts';
import { FileFetcher } from './fetch/fetch-file.ts';
import { IncomingDirectory } from './fetch/incoming-directory.ts';
import { fetchRelease, type FetchPlaces } from './fetch/fetch-release.ts';
import { MirrorError, type MirrorErrorCode } from './mirror-error.ts';
import type { WantedRelease } from './plan/wanted.ts';
import { PayloadServer } from './serve/payload-server.ts';
import { DirectoryStore } from './store/directory-store.ts';
import type { Tree } from './store/tree.ts';
import { newUpdateKey } from './testing/crau.ts';
import { ReleaseMaker } from './testing/releases.ts';

const log = createLogger({ level: 'error', name: 'test' });
let root = '';
let origin: Origin;
let maker: ReleaseMaker;
let server: PayloadServer;
let store: DirectoryStore;
let directory = '';
let places: FetchPlaces;
let incoming = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'careen-mirror-'));
  await mkdir(join(root, 'origin'));
  origin = await startPayloadServer({ directory: join(root, 'origin') });
  maker = new ReleaseMaker(join(root, 'origin'), origin.url);
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'mirror-'));
  store = new DirectoryStore(directory);
  await store.open();
  const fetcher = new FileFetcher({ backoffMs: 5, attempts: 4 });
  const { signal } = new AbortController();
  incoming = join(directory, 'incoming');
  places = { work: join(directory, 'work'), incoming: new IncomingDirectory(incoming), fetcher, signal };
  server = await new PayloadServer({ address: '127.0.0.1:0', store, log }).listen();
});
afterEach(async () => {
  origin.fault = undefined;
  await Promise.all([server.close(), places.fetcher.close()]);
});
after(async () => {
  await origin?.stop();
  await rm(root, { recursive: true });
});

const url = (tree: Tree, name = 'update.gz') =>
  `http://127.0.0.1:${server.port}/payloads/${tree.digest}/${name}`;

async function refusal(release: WantedRelease): Promise<MirrorErrorCode> {
  const error: unknown = await fetchRelease(release, store, places).then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MirrorError, String(error));
  assert.deepEqual(await store.trees(), []);
  return error.code;
}

async function digestOf(response: Response): Promise<string> {
  return hash('sha256', Buffer.from(await response.arrayBuffer()));
}

describe('a release', () => {
  it('for update_engine is fetched once, verified and served with all its packages', async () => {
    const release = await maker.build('2.0.0', 200_000, 3);
    const tree = await fetchRelease(release, store, places);
    assert.equal(tree.digest, release.digest);
    for (const { name, sha256 } of tree.files) {
      assert.equal(await digestOf(await fetch(url(tree, name))), sha256);
      assert.equal(origin.requests.get(`/2.0.0/${name}`), 1);
    }
    assert.deepEqual(await readdir(places.work), tree.files.map(({ sha256 }) => `${sha256}.etag`).toSorted());
  });

  it('for the careen agent is verified down to its chunks and served as it was published', async () => {
    const release = await maker.payload('2.1.0');
    const tree = await fetchRelease(release, store, places);
    for (const name of ['manifest.json', 'manifest.json.minisig', 'blob']) {
      const original = hash('sha256', await readFile(join(root, 'origin', '2.1.0', name)));
      assert.equal(await digestOf(await fetch(url(tree, name))), original);
    }
  });

  it('of another key, digest, size or version is refused, and nothing of it is visible', async () => {
    const build = await maker.build('2.2.0');
    assert.equal(await refusal({ ...build, keys: [newUpdateKey().pem] }), 'KeyUnknown');
    const changed = structuredClone(build);
    const [file] = changed.from.build?.packages ?? [];
    assert.ok(file);
    file.sha1 = `${'A'.repeat(27)}=`;
    assert.equal(await refusal(changed), 'DigestMismatch');
    const short = structuredClone(build);
    const [other] = short.from.build?.packages ?? [];
    assert.ok(other);
    other.size -= 1;
    assert.equal(await refusal(short), 'SizeMismatch');
    const payload = await maker.payload('2.3.0');
    assert.equal(await refusal({ ...payload, version: '9.9.9' }), 'ManifestInvalid');
    const chunk = join(root, 'origin', '2.3.0', 'blob');
    const bytes = await readFile(chunk);
    bytes.writeUInt8(bytes.readUInt8(100_000) ^ 1, 100_000);
    await writeFile(chunk, bytes);
    assert.equal(await refusal(payload), 'PayloadCorrupt');
  });

  it('whose download broke off is gone on with; one that is not there is said to be refused', async () => {
    const release = await maker.build('2.4.0', 3_000_000);
    origin.fault = { kind: 'truncate' };
    const before = origin.sentBytes;
    assert.equal(await refusal(release), 'Unreachable');
    origin.fault = undefined;
    await fetchRelease(release, store, places);
    const size = release.bytes ?? 0;
    assert.ok(origin.sentBytes - before < 2 * size, `${origin.sentBytes - before} bytes for ${size}`);
    const missing = await maker.build('2.5.0');
    await rm(join(root, 'origin', '2.5.0', 'update.gz'));
    await store.drop(release.digest ?? '');
    assert.equal(await refusal(missing), 'Refused');
  });

  it('that changed on the server in the middle of its download is fetched anew', async () => {
    const old = await maker.build('2.6.0', 3_000_000);
    origin.fault = { kind: 'truncate' };
    assert.equal(await refusal(old), 'Unreachable');
    origin.fault = undefined;
    const renewed = await maker.build('2.6.0', 3_000_000);
    const [file] = old.from.build?.packages ?? [];
    const [fresh] = renewed.from.build?.packages ?? [];
    assert.ok(file && fresh);
    const sha256 = Buffer.from(file.sha256, 'base64').toString('hex');
    const stale = join(places.work, sha256);
    const path = join(places.work, renewed.digest ?? '');
    await writeFile(path, await readFile(stale));
    await writeFile(`${path}.etag`, await readFile(`${stale}.etag`));
    await fetchRelease(renewed, store, places);
  });

  it('that was put there by hand needs no server', async () => {
    for (const release of [await maker.build('2.7.0'), await maker.payload('2.8.0')]) {
      const [from, to] = [join(root, 'origin', release.version), join(incoming, release.version)];
      await mkdir(to, { recursive: true });
      for (const name of await readdir(from))
        await writeFile(join(to, name), await readFile(join(from, name)));
      await rm(from, { recursive: true });
      const { version } = await fetchRelease(release, store, places);
      assert.equal(version, release.version);
      assert.deepEqual(await readdir(to), []);
    }
  });
});

describe('the server', () => {
  it('knows ranges, ETag, If-Range, If-None-Match and HEAD, and nothing else', async () => {
    const tree = await fetchRelease(await maker.build('3.0.0'), store, places);
    const whole = Buffer.from(await (await fetch(url(tree))).arrayBuffer());
    const etag = `"${tree.files[0]?.sha256}"`;
    const ask = (headers: Record<string, string>, method = 'GET') => fetch(url(tree), { method, headers });
    const part = await ask({ range: 'bytes=1000-1999' });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 1000-1999/${whole.length}`);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(1000, 2000)));
    assert.equal((await ask({ range: 'bytes=5-', 'if-range': etag })).status, 206);
    assert.equal((await ask({ range: 'bytes=5-', 'if-range': '"other"' })).status, 200);
    assert.equal((await ask({ 'if-none-match': etag })).status, 304);
    assert.equal((await ask({ range: `bytes=${whole.length}-` })).status, 416);
    const head = await ask({}, 'HEAD');
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(whole.length)]);
    assert.equal((await ask({}, 'POST')).status, 405);
    for (const path of ['', 'other', '../../records/x', '%2e%2e/x']) {
      assert.equal((await fetch(url(tree, path))).status, 404, path);
    }
  });

  it('serves a hundred machines at once without taking a payload into memory', async () => {
    const tree = await fetchRelease(await maker.build('3.1.0', 5_000_000), store, places);
    const before = buffered();
    let [highest, parts] = [0, 0];
    const machines = Array.from({ length: 100 }, async () => {
      const response = await fetch(url(tree));
      const reader = response.body?.getReader();
      let size = 0;
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
        size += part.value.length;
        parts += 1;
        if (parts % 500 === 0) highest = Math.max(highest, buffered() - before);
      }
      return size;
    });
    assert.deepEqual(new Set(await Promise.all(machines)), new Set([tree.files[0]?.size]));
    assert.ok(highest < 250_000_000, `${highest} bytes for 500 MB`);
  });

  it('serves what it began to serve to its end when that is dropped meanwhile', async () => {
    const tree = await fetchRelease(await maker.build('3.2.0', 8_000_000), store, places);
    const response = await fetch(url(tree));
    await store.drop(tree.digest);
    assert.equal(await digestOf(response), tree.files[0]?.sha256);
    assert.equal((await fetch(url(tree))).status, 404);
    assert.deepEqual(await readdir(join(directory, 'blobs')), []);
  });
});

describe('a mirror that is started again', () => {
  it('takes away what is corrupt or incomplete, and keeps what is whole though its time has changed', async () => {
    const trees = [];
    for (const version of ['4.0.0', '4.1.0', '4.2.0']) {
      trees.push(await fetchRelease(await maker.build(version), store, places));
    }
    const [flipped, touched, cut] = trees.map(({ digest }) => join(directory, 'blobs', digest));
    assert.ok(flipped && touched && cut);
    const bytes = await readFile(flipped);
    bytes.writeUInt8(bytes.readUInt8(77) ^ 1, 77);
    await writeFile(flipped, bytes);
    await utimes(touched, 1, 1);
    await truncate(cut, 1000);
    await appendFile(join(directory, 'blobs', 'f'.repeat(64)), 'nobody knows');
    const again = new DirectoryStore(directory);
    await again.open();
    assert.deepEqual(
      (await again.trees()).map(({ version }) => version),
      ['4.1.0'],
    );
    assert.deepEqual(await readdir(join(directory, 'blobs')), [trees[1]?.digest]);
  });

  it(
    'after SIGKILL before a write, an early or a late one, is whole and goes on to the end',
    { timeout: 1_100_000 },
    async () => {
      const wanted = [await maker.build('5.0.0', 20_000, 2), await maker.payload('5.1.0', 80_000)];
      let survived = false;
      for (let killAt = 1; !survived; killAt++) {
        const place = await mkdtemp(join(root, 'killed-'));
        survived = (await run(wanted, place, killAt)) === 0;
        await assertWhole(place);
        assert.equal(await run(wanted, place, 0), 0, `after a kill before write ${killAt}`);
        await assertWhole(place);
        const left = await new DirectoryStore(place).trees();
        assert.deepEqual(
          left.map(({ version }) => version),
          ['5.1.0'],
        );
        await rm(place, { recursive: true });
        if (!survived) killAt += Math.floor(killAt / 5); // each of the first, then fewer and fewer
      }
    },
  );
});

const testing = join(import.meta.dirname, 'testing');

/** Bytes of buffers that somebody holds: how much garbage there is besides is the collector's affair. */
function buffered(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect(); // the first may still be sweeping
  return process.memoryUsage().arrayBuffers;
}

async function run(wanted: WantedRelease[], place: string, killAt: number): Promise<number> {
  const hook = ['--import', join(testing, 'killed-at.ts')];
  const args = [...hook, join(testing, 'fetch-process.ts'), JSON.stringify(wanted), place];
  const env = { ...process.env, KILL_AT: String(killAt) };
  const child = await guarded(process.execPath, args, { env, stderr: 'inherit' });
  return child.exited;
}

/** Everything that a server would show is there and is what it says. */
async function assertWhole(place: string): Promise<void> {
  const names = await readdir(join(place, 'trees')).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const tree = await new DirectoryStore(place).tree(name.slice(0, -'.json'.length));
    for (const { sha256 } of tree?.files ?? []) {
      assert.equal(hash('sha256', await readFile(join(place, 'blobs', sha256))), sha256);
    }
  }
}
