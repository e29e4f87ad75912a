import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { coreosDisk, diskBytes, marks, USR_A } from '../slots/testing/coreos-disk.ts';
import { firmwareChoice } from '../slots/testing/firmware.ts';
import { generateKey } from './minisign.ts';
import { publishPayload } from './publish.ts';
import { PayloadServer } from './testing/payload-server.ts';
import type { Outcome, Task } from './testing/stage-process.ts';

/** An update of 256 MiB, half of which cannot be compressed, staged by a process of its own. */
const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
/** Node and the modules take 100 MiB, buffers in flight and not yet collected as much: less than the image in all. */
const PEAK = 250 * MIB;

const spec = coreosDisk({ b: marks(1, 0, true), slotSectors: SIZE / 512 });
const slotB = (spec.entries.find(({ number }) => number === 4)?.first ?? 0) * 512;
const key = generateKey();
const server = new PayloadServer();
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-stage-'));
  const image = Buffer.alloc(SIZE);
  for (let at = 0; at < SIZE; at += 2 * MIB) randomFillSync(image, at, MIB);
  await writeFile(join(directory, 'image'), image);
  const options = { image: join(directory, 'image'), version: '2.0.0', outDir: directory, level: 1 };
  await publishPayload({ ...options, secretKey: key.secretKey });
  for (const name of ['manifest.json', 'manifest.json.minisig', 'blob']) {
    server.files.set(`/2.0.0/${name}`, await readFile(join(directory, '2.0.0', name)));
  }
  await server.start();
});
after(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const blobRequests = () => server.requests.filter(({ path }) => path.endsWith('/blob')).length;

async function startStaging(name: string): Promise<ChildProcess> {
  const disk = join(directory, `${name}.img`);
  const task: Task = {
    disk,
    running: USR_A,
    manifest: server.url('/2.0.0/manifest.json'),
    keys: [key.publicKey],
    version: '2.0.0',
    stateDir: join(directory, `${name}-state`),
  };
  const script = fileURLToPath(new URL('testing/stage-process.ts', import.meta.url));
  return spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let text = '';
  child.stdout?.on('data', (part: Buffer) => (text += part.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0);
  return JSON.parse(text) as Outcome;
}

async function newDisk(name: string): Promise<string> {
  const path = join(directory, `${name}.img`);
  await writeFile(path, diskBytes(spec));
  return path;
}

async function assertImage(disk: string): Promise<void> {
  const handle = await open(disk);
  const image = await readFile(join(directory, 'image'));
  const { buffer } = await handle.read(Buffer.alloc(SIZE), 0, SIZE, slotB);
  await handle.close();
  assert.ok(buffer.equals(image));
}

test('256 MiB are staged in constant memory', async () => {
  const disk = await newDisk('memory');
  const { size, took, peak } = await outcomeOf(await startStaging('memory'));
  const speed = Math.round(size / MIB / (took / 1000));
  console.log(
    `staged ${size / MIB} MiB in ${Math.round(took)} ms (${speed} MiB/s), peak ${Math.round(peak / MIB)} MiB`,
  );
  assert.ok(peak < PEAK, `peak ${peak}`);
  await assertImage(disk);
});

test('killed again and again, staging goes on where it was, and the machine boots all the while', async () => {
  const disk = await newDisk('killed');
  for (let kill = 1; kill <= 4; kill++) {
    const before = blobRequests();
    const child = await startStaging('killed');
    const closed = once(child, 'close');
    const deadline = performance.now() + 300_000;
    while (blobRequests() < before + 45 && performance.now() < deadline) await new Promise(setImmediate);
    child.kill('SIGKILL');
    await closed;
    assert.equal(firmwareChoice(await readFile(disk))?.slot, 3);
  }
  const { reused, size } = await outcomeOf(await startStaging('killed'));
  console.log(`after four kills, ${reused / MIB} of ${size / MIB} MiB were there already`);
  assert.ok(reused >= 64 * MIB, `only ${reused} reused`);
  await assertImage(disk);
});
