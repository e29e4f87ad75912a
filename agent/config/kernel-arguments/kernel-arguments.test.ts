import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { changeArguments, wordsOf } from './change-arguments.ts';
import { bootEntry, oemGrub } from './command-line.ts';
import { kernelArgumentsOf } from './find.ts';

const none = { added: [], removed: [] };
const word = fc.constantFrom('quiet', 'ro', 'console=ttyS0', 'a=1', 'b="x y"', 'root=LABEL=r');
const words = fc.uniqueArray(word);

test('what was added goes, what was removed comes back, and the arguments of others keep their order', () => {
  fc.assert(
    fc.property(words, words, words, (line, add, remove) => {
      const wanted = { add: add.filter((one) => !remove.includes(one)), remove };
      const there = changeArguments(line.join(' '), none, wanted);
      const again = changeArguments(there.line, there.owned, wanted);
      assert.deepEqual(again.line.split(' ').toSorted(), there.line.split(' ').toSorted());
      const back = changeArguments(there.line, there.owned, { add: [], remove: [] });
      assert.deepEqual(back.line.split(' ').toSorted(), line.join(' ').split(' ').toSorted());
      assert.deepEqual(back.owned, none);
      for (const one of wanted.add) assert(wordsOf(there.line).includes(one));
      for (const one of remove) assert(!wordsOf(there.line).includes(one));
    }),
  );
});

test('a boot entry and an OEM grub.cfg say what they are given, and nothing else in them changes', () => {
  const entry = 'title  Linux\nlinux /vmlinuz\noptions root=/dev/sda1 ro\ninitrd /initrd\noptions quiet\n';
  assert.equal(bootEntry.read(entry), 'root=/dev/sda1 ro quiet');
  const changed = 'title  Linux\nlinux /vmlinuz\noptions ro a=$1\ninitrd /initrd\n';
  assert.equal(bootEntry.write(entry, 'ro a=$1'), changed);
  const grub = '# Flatcar\nset oem_id="ec2"\nset linux_append="a=1 b=\\"x y\\""\n';
  assert.equal(oemGrub.read(grub), 'a=1 b="x y"');
  assert.equal(oemGrub.write(grub, 'c'), '# Flatcar\nset oem_id="ec2"\nset linux_append="c"\n');
  assert.equal(oemGrub.read(oemGrub.write('', 'a="x $y"')), 'a="x $y"');
});

test('every boot entry is changed, and undone by the agent as by the script of the host', async () => {
  const root = await mkdtemp(join(tmpdir(), 'careen-kargs-'));
  const entries = ['a.conf', 'b.conf'].map((name) => join(root, 'boot/loader/entries', name));
  await mkdir(dirname(entries[0]!), { recursive: true });
  await mkdir(join(root, 'var'));
  for (const path of entries) await writeFile(path, 'linux /vmlinuz\noptions ro\n');
  const kernel = await kernelArgumentsOf({ root, stateDir: join(root, 'var') });
  const plan = await kernel.plan(none, { add: ['quiet'], remove: [] });
  assert.equal(plan?.files.length, 2);
  await kernel.prepare(plan);
  await kernel.write();
  for (const path of entries) assert.match(await readFile(path, 'utf8'), /options ro quiet/);
  assert.match((await kernel.undoScript()).join('\n'), /mv -f '\/boot\/loader\/entries\/a.conf.new'/);
  await kernel.undo();
  for (const path of entries) assert.match(await readFile(path, 'utf8'), /options ro\n/);
  await rm(root, { recursive: true });
});

test('a host whose boot loader is not known says so when arguments are wanted, and only then', async () => {
  const root = await mkdtemp(join(tmpdir(), 'careen-kargs-'));
  const kernel = await kernelArgumentsOf({ root, stateDir: root });
  assert.equal(await kernel.plan(none, { add: [], remove: [] }), undefined);
  await assert.rejects(kernel.plan(none, { add: ['quiet'], remove: [] }), { code: 'KernelArguments' });
  await rm(root, { recursive: true });
});
