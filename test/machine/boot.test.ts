import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bootUp } from './boot.ts';
import { createDisk } from './disk.ts';
import { buildOsImage, type Behaviour } from './os-image.ts';
import { setSlot, writeSlot } from './slot-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'boot-'));
after(() => rmSync(directory, { recursive: true }));
const times = { bootMs: 1, resetMs: 1, watchdogMs: 1 };
const always = new AbortController().signal;

test('a good image comes up with its version', async () => {
  const system = await bootUp(await diskWith('good', '1.0.0'), times, always);
  assert.equal(system?.version, '1.0.0');
  assert.equal(system?.healthy, true);
});

for (const behaviour of ['no-boot', 'hang'] as const) {
  test(`an image that does ${behaviour} is tried as often as it has tries, then the old one boots`, async () => {
    const disk = await diskWith(behaviour, '1.0.0');
    await stage(disk, behaviour, 3);
    const system = await bootUp(disk, times, always);
    assert.equal(system?.version, '1.0.0');
    assert.equal(system?.slot?.name, 'USR-A');
  });
}

test('an unhealthy image comes up, and says so', async () => {
  const disk = await diskWith('unhealthy', '1.0.0');
  await stage(disk, 'unhealthy', 1);
  const system = await bootUp(disk, times, always);
  assert.deepEqual([system?.slot?.name, system?.version, system?.healthy], ['USR-B', '2.0.0', false]);
});

test('a slot with garbage is tried and left', async () => {
  const disk = await diskWith('garbage', '1.0.0');
  setSlot(disk, 'USR-B', 2, 1, false);
  assert.equal((await bootUp(disk, times, always))?.slot?.name, 'USR-A');
});

test('a machine with nothing to boot stands still', async () => {
  const disk = join(directory, 'nothing');
  createDisk(disk, { usrMiB: 1 });
  assert.equal(await bootUp(disk, times, always), undefined);
});

test('a power cut ends a boot', async () => {
  const power = new AbortController();
  const boot = bootUp(await diskWith('cut', '1.0.0'), { ...times, bootMs: 60_000 }, power.signal);
  setTimeout(() => power.abort(), 50);
  await assert.rejects(boot, { name: 'AbortError' });
});

async function diskWith(name: string, version: string): Promise<string> {
  const osImage = join(directory, `${version}.img`);
  await buildOsImage({ path: osImage, version, bulkMiB: 1 });
  createDisk(join(directory, name), { usrMiB: 8, osImage });
  return join(directory, name);
}

/** What an agent leaves behind: the image in USR-B, which comes before USR-A and is on trial. */
async function stage(disk: string, behaviour: Behaviour, tries: number): Promise<void> {
  const image = join(directory, `${behaviour}.img`);
  await buildOsImage({ path: image, version: '2.0.0', behaviour, bulkMiB: 1 });
  writeSlot(disk, 'USR-B', image);
  setSlot(disk, 'USR-B', 2, tries, false);
}
