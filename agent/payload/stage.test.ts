import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { GptEngine } from '../slots/gpt/gpt-engine.ts';
import { SlotError } from '../slots/slot-error.ts';
import { coreosDisk, diskBytes, marks, USR_A } from '../slots/testing/coreos-disk.ts';
import { firmwareChoice } from '../slots/testing/firmware.ts';
import { RecordingDisk } from '../slots/testing/recording-disk.ts';
import type { Manifest } from './manifest.ts';
import { generateKey, sign } from './minisign.ts';
import { PayloadError } from './payload-error.ts';
import { publishPayload } from './publish.ts';
import { stagePayload, type StageOptions } from './stage.ts';
import { PayloadServer } from './testing/payload-server.ts';

const CHUNK = 65_536;
const image = Buffer.concat([randomBytes(5 * CHUNK), Buffer.alloc(3 * CHUNK), randomBytes(1000)]);
const COUNT = 9;
const key = generateKey();
const spec = coreosDisk({ b: marks(1, 0, true) });
const slotB = (spec.entries.find(({ number }) => number === 4)?.first ?? 0) * 512;
const old = diskBytes(spec);

const MANIFEST = '/2.0.0/manifest.json';
const BLOB = '/2.0.0/blob';

let directory: string;
let published: Map<string, Buffer>;
let server: PayloadServer;
let disk: RecordingDisk;
let stateDir: string;
let tests = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-stage-'));
  await writeFile(join(directory, 'image'), image);
  const options = {
    image: join(directory, 'image'),
    version: '2.0.0',
    outDir: directory,
    secretKey: key.secretKey,
  };
  await publishPayload({ ...options, chunkSize: CHUNK });
  const names = [MANIFEST, `${MANIFEST}.minisig`, BLOB];
  published = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(directory + name)] as const)),
  );
  server = await new PayloadServer().start();
});
after(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  server.files.clear();
  for (const [name, bytes] of published) server.files.set(name, Buffer.from(bytes));
  server.requests.length = 0;
  server.fault = () => false;
  disk = new RecordingDisk(old);
  stateDir = join(directory, `state-${++tests}`);
});

/** No server here is ever silent but on purpose, and then it is for ever: only those tests wait for it. */
const LIMITS = { idleMs: 120_000, requestMs: 120_000, attempts: 3, backoffMs: 1 };
const SILENCE = { limits: { ...LIMITS, idleMs: 1500 } };

async function stage(options: Partial<StageOptions> = {}) {
  const target = await new GptEngine(disk, { running: USR_A }).open();
  try {
    return await stagePayload({
      manifest: server.url(MANIFEST),
      keys: [key.publicKey],
      version: '2.0.0',
      target,
      stateDir,
      limits: LIMITS,
      ...options,
    });
  } finally {
    await target.close();
  }
}

function code(wanted: string) {
  return (error: unknown) => {
    assert.ok(error instanceof PayloadError || error instanceof SlotError, String(error));
    assert.equal(error.code, wanted, error.message);
    return true;
  };
}

/** Whatever happened, the machine boots A, and B can be chosen only if it is whole. */
function assertCleared(): void {
  for (const bytes of [disk.durable, disk.bytes]) {
    assert.equal(firmwareChoice(bytes)?.slot, 3);
    assert.equal(bytes.readUInt16LE(1024 + 3 * 128 + 54) & 0x1ff, 0, 'B is not cleared');
  }
}

function slot(bytes: Buffer): Buffer {
  return bytes.subarray(slotB, slotB + image.length);
}

function fetched(): number[] {
  return server.requests.filter(({ path }) => path === BLOB).map(({ offset }) => offset);
}

function manifest(): Manifest {
  return JSON.parse(String(published.get(MANIFEST))) as Manifest;
}

/** Publishes a manifest as its owner could, signature and all. */
function serveManifest(changed: object): void {
  const bytes = Buffer.from(JSON.stringify({ ...manifest(), ...changed }));
  server.files.set(MANIFEST, bytes);
  server.files.set(`${MANIFEST}.minisig`, Buffer.from(sign(bytes, key.secretKey, '')));
}

function flip(name: string, at: number): void {
  const bytes = server.files.get(name);
  assert.ok(bytes);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
}

test('a payload is staged: every byte on the medium, the slot cleared, progress told', async () => {
  const progress: number[] = [];
  const staged = await stage({
    onProgress: ({ bytes, total }) => {
      progress.push(bytes);
      assert.equal(total, image.length);
    },
  });
  assert.deepEqual(staged, { sha256: manifest().sha256, size: image.length, reused: 0 });
  assert.ok(slot(disk.durable).equals(image));
  assertCleared();
  assert.deepEqual([progress[0], progress.at(-1), progress.length], [0, image.length, COUNT + 1]);
});

test('the slot is unselectable, safely on disk, before its first byte is written', async () => {
  let writes = 0;
  disk.fault = (operation, offset) => {
    if (operation !== 'write' || offset < slotB || offset >= slotB + image.length) return;
    if (writes++ === 0) assert.ok(!slot(disk.durable).equals(image));
    assertCleared();
  };
  await stage();
  assert.equal(writes, COUNT);
});

const UNTOUCHED: Record<string, [string, () => Partial<StageOptions> | void]> = {
  'a key that is not trusted': ['KeyUnknown', () => ({ keys: [generateKey().publicKey] })],
  'a bit flipped in the manifest': ['SignatureInvalid', () => flip(MANIFEST, 50)],
  'a bit flipped in the signature': ['SignatureInvalid', () => flip(`${MANIFEST}.minisig`, 120)],
  'no manifest': ['ManifestUnreachable', () => void server.files.delete(MANIFEST)],
  'no signature': ['ManifestUnreachable', () => void server.files.delete(`${MANIFEST}.minisig`)],
  'a manifest that is not the pinned one': ['DigestMismatch', () => ({ sha256: 'ab'.repeat(32) })],
  'another version': ['VersionMismatch', () => ({ version: '2.0.1' })],
  'a manifest that has expired': [
    'ManifestExpired',
    () => serveManifest({ expires: new Date(Date.now() - 1000).toISOString() }),
  ],
  'a manifest from the future': [
    'ClockWrong',
    () => serveManifest({ created: new Date(Date.now() + 3_600_000).toISOString() }),
  ],
  'a hostile manifest, signed': ['ManifestInvalid', () => serveManifest({ blob: '../../etc/passwd' })],
  'a manifest without end': ['ManifestInvalid', endless],
  'a signature without end': [
    'ManifestInvalid',
    () => void server.files.set(`${MANIFEST}.minisig`, Buffer.alloc(10 ** 6)),
  ],
  'no server': ['ManifestUnreachable', () => ({ manifest: 'http://127.0.0.1:1/manifest.json' })],
  'a server that says nothing': ['ManifestUnreachable', silence],
  'an image larger than the slot': ['SlotTooSmall', tooLarge],
  'a state directory that cannot be made': ['StateUnwritable', () => ({ stateDir: '/dev/null/state' })],
  'a state directory that is full': ['StateUnwritable', () => ({ stateDir: '/proc/self' })],
};

function silence(): Partial<StageOptions> {
  server.fault = () => true;
  return SILENCE;
}

function endless(): void {
  server.fault = ({ url }, response) => {
    if (url !== MANIFEST) return false;
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
    };
    response.on('drain', more);
    more();
    return true;
  };
}

function tooLarge(): void {
  const chunks = Array.from({ length: 17 }, (_, index) => ({
    sha256: 'ab'.repeat(32),
    offset: index * 10,
    length: 10,
  }));
  serveManifest({ size: 16 * CHUNK + 1, chunks });
}

for (const [what, [wanted, prepare]] of Object.entries(UNTOUCHED)) {
  test(`${what} is ${wanted}, and nothing is written`, async () => {
    const options = prepare() ?? {};
    await assert.rejects(stage(options), code(wanted));
    assert.equal(disk.operations, 0);
    assert.ok(disk.bytes.equals(old));
  });
}

/** Answers for the blob as told, so many times. */
function blobFault(answer: (response: ServerResponse) => void, times = Infinity): void {
  let count = 0;
  server.fault = ({ url }, response) => {
    if (url !== BLOB || count++ >= times) return false;
    answer(response);
    return true;
  };
}

function diskFault(errno: string, from: number): void {
  let writes = 0;
  disk.fault = (operation, offset) => {
    if (operation === 'write' && offset >= slotB && offset < slotB + image.length && writes++ >= from) {
      throw Object.assign(new Error(errno), { code: errno });
    }
  };
}

const CLEARED: Record<string, [string, () => Partial<StageOptions> | void]> = {
  'a bit flipped in the blob': ['ChunkCorrupt', () => flip(BLOB, 3 * CHUNK)],
  'a blob cut short between chunks': ['PayloadTruncated', () => cut(manifest().chunks[4]?.offset ?? 0)],
  'a blob cut short inside a chunk': ['PayloadTruncated', () => cut((manifest().chunks[4]?.offset ?? 0) + 5)],
  'no blob': ['PayloadUnreachable', () => void server.files.delete(BLOB)],
  'a server without ranges': [
    'PayloadUnreachable',
    () => blobFault((response) => response.end(published.get(BLOB))),
  ],
  'a server that is always busy': [
    'PayloadUnreachable',
    () => blobFault((response) => response.writeHead(503).end()),
  ],
  'a server that hangs up': ['PayloadUnreachable', () => blobFault((response) => response.destroy())],
  'a server that stops in the middle': ['PayloadUnreachable', stalled],
  'a chunk that unpacks to a gigabyte': ['ChunkCorrupt', () => void server.files.set(BLOB, bomb)],
  'a whole image that is not the manifest’s': [
    'DigestMismatch',
    () => serveManifest({ sha256: 'ab'.repeat(32) }),
  ],
  'a full disk': ['DiskFull', () => diskFault('ENOSPC', 5)],
  'a failing disk': ['IoError', () => diskFault('EIO', 5)],
  'a slot that is read-only': ['ReadOnlyDevice', () => diskFault('EROFS', 0)],
  'a disk that does not keep what is written': ['MediumCorrupt', () => diskForgets(2)],
};

function cut(length: number): void {
  server.files.set(BLOB, Buffer.from((published.get(BLOB) ?? Buffer.alloc(0)).subarray(0, length)));
}

function stalled(): Partial<StageOptions> {
  blobFault(stall);
  return SILENCE;
}

function stall(response: ServerResponse): void {
  response.writeHead(206, { 'content-range': 'bytes 0-1/2', 'content-length': 1000 });
  response.write('a');
}

/** The sync after the last write loses a bit of chunk `index`. */
function diskForgets(index: number): void {
  const at = slotB + index * CHUNK + 77;
  disk.fault = (operation) => {
    if (operation !== 'sync' || !slot(disk.bytes).equals(image)) return;
    disk.fault = () => {};
    disk.pending.push({ offset: at, bytes: Buffer.from([(disk.bytes[at] ?? 0) ^ 1]) });
    disk.bytes[at] = (disk.bytes[at] ?? 0) ^ 1;
  };
}

let bomb: Buffer;
before(async () => {
  const frame = await promisify(zstdCompress)(Buffer.alloc(2 ** 28));
  bomb = Buffer.concat(Array.from({ length: 40 }, () => frame));
});

for (const [what, [wanted, prepare]] of Object.entries(CLEARED)) {
  test(`${what} is ${wanted}, the slot stays cleared, and a second attempt succeeds`, async () => {
    const options = prepare() ?? {};
    await assert.rejects(stage(options), code(wanted));
    assertCleared();
    for (const [name, bytes] of published) server.files.set(name, Buffer.from(bytes));
    server.fault = () => false;
    disk.fault = () => {};
    await stage();
    assert.ok(slot(disk.durable).equals(image));
    assertCleared();
  });
}

test('a chunk that is wrong is never written', async () => {
  flip(BLOB, 100);
  await assert.rejects(stage(), code('ChunkCorrupt'));
  assert.ok(slot(disk.bytes).equals(slot(old)));
});

test('what goes wrong once on the way is fetched again', async () => {
  blobFault((response) => response.writeHead(503).end(), 2);
  await stage();
  blobFault((response) => response.destroy(), 1);
  disk = new RecordingDisk(old);
  await stage({ stateDir: join(stateDir, '2') });
  // The first chunk comes with a wrong bit once, whichever of the chunks is asked for first.
  let served = 0;
  server.fault = ({ url, headers }) => {
    if (url === BLOB && headers.range?.startsWith('bytes=0-') === true && served++ < 2) flip(BLOB, 100);
    return false;
  };
  disk = new RecordingDisk(old);
  await stage({ stateDir: join(stateDir, '3') });
  assert.ok(slot(disk.durable).equals(image));
});

test('a redirect to a mirror is followed', async () => {
  server.files.set('/mirror', published.get(BLOB) ?? Buffer.alloc(0));
  blobFault((response) => response.writeHead(302, { location: '/mirror' }).end());
  await stage();
  assert.ok(slot(disk.durable).equals(image));
});

/** Staging that is stopped when `chunks` are safe on the medium, as if it had been killed. */
async function interrupted(chunks: number): Promise<void> {
  await stage();
  const journal = JSON.parse(await readFile(join(stateDir, 'staging.json'), 'utf8')) as object;
  await writeFile(join(stateDir, 'staging.json'), JSON.stringify({ ...journal, chunks }));
  disk.bytes.fill(0xee, slotB + chunks * CHUNK, slotB + image.length);
  disk.durable = Buffer.from(disk.bytes);
  server.requests.length = 0;
}

test('after a kill, staging goes on behind what is on the medium', async () => {
  await interrupted(4);
  const { reused } = await stage();
  assert.equal(reused, 4 * CHUNK);
  assert.deepEqual(
    fetched().toSorted((a, b) => a - b),
    manifest()
      .chunks.slice(4)
      .map(({ offset }) => offset),
  );
  assert.ok(slot(disk.durable).equals(image));
});

test('what the journal claims is believed only as far as the medium holds it', async () => {
  await interrupted(6);
  const at = slotB + 2 * CHUNK + 9;
  disk.bytes[at] = (disk.bytes[at] ?? 0) ^ 1;
  assert.equal((await stage()).reused, 2 * CHUNK);
  assert.ok(slot(disk.durable).equals(image));
});

test('a slot that is complete is not fetched again', async () => {
  await stage();
  server.requests.length = 0;
  assert.equal((await stage()).reused, image.length);
  assert.deepEqual(fetched(), []);
});

test('a journal of another manifest, or one of nonsense, is not believed', async () => {
  await interrupted(5);
  const bytes = Buffer.from(`${JSON.stringify(manifest())} `);
  server.files.set(MANIFEST, bytes);
  server.files.set(`${MANIFEST}.minisig`, Buffer.from(sign(bytes, key.secretKey, '')));
  assert.equal((await stage()).reused, 0);
  for (const text of ['', '{', '{"manifestDigest":"x","chunks":-1}']) {
    await writeFile(join(stateDir, 'staging.json'), text);
    assert.equal((await stage()).reused, 0);
  }
});

async function readJournal(): Promise<{ chunks: number }> {
  return JSON.parse(await readFile(join(stateDir, 'staging.json'), 'utf8')) as { chunks: number };
}

test('a journal says no more than what a power cut would leave on the medium', async () => {
  for (let last = 0; last < 8; last++) {
    disk = new RecordingDisk(old);
    let operations = 0;
    disk.fault = (operation) => {
      if (operation !== 'read' && operations++ === last) throw new Error('killed');
    };
    await stage().catch(() => {});
    const { chunks } = await readJournal();
    const safe = slot(disk.durable).subarray(0, chunks * CHUNK);
    assert.ok(safe.equals(image.subarray(0, chunks * CHUNK)));
  }
});

test('staging ends at once when it is told to, with the reason given', async () => {
  const reason = new Error('called off');
  const controller = new AbortController();
  const onProgress = ({ bytes }: { bytes: number }) => bytes > 2 * CHUNK && controller.abort(reason);
  await assert.rejects(
    stage({ signal: controller.signal, onProgress: (progress) => void onProgress(progress) }),
    reason,
  );
  assertCleared();
  blobFault(() => {});
  const hung = new AbortController();
  setTimeout(() => hung.abort(reason), 50);
  await assert.rejects(stage({ signal: hung.signal }), reason);
  await assert.rejects(stage({ signal: AbortSignal.abort(reason) }), reason);
});

test('a chunk that unpacks well but to other bytes is never written', async () => {
  const other = await promisify(zstdCompress)(Buffer.alloc(CHUNK, 7));
  const { chunks } = manifest();
  serveManifest({
    chunks: chunks.map((chunk, index) => (index === 0 ? { ...chunk, length: other.length } : chunk)),
  });
  server.files.set(BLOB, Buffer.concat([other, (published.get(BLOB) ?? other).subarray(other.length)]));
  await assert.rejects(stage(), code('ChunkCorrupt'));
  assert.ok(slot(disk.bytes).equals(slot(old)));
  assertCleared();
});

test('without compression the same holds', async () => {
  const chunks = manifest().chunks.map(({ sha256 }, index) => ({
    sha256,
    offset: index * CHUNK,
    length: Math.min(CHUNK, image.length - index * CHUNK),
  }));
  serveManifest({ compression: 'none', chunks });
  server.files.set(BLOB, Buffer.from(image));
  flip(BLOB, 100);
  await assert.rejects(stage(), code('ChunkCorrupt'));
  assert.ok(slot(disk.bytes).equals(slot(old)));
  flip(BLOB, 100);
  await stage();
  assert.ok(slot(disk.durable).equals(image));
});
