import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { unpackImage } from '../unpacked-image.fixture.ts';
import { ImageError } from './image-error.ts';
import { packLayer } from './layer.ts';
import { runTool } from './run-tool.ts';
import { writeOciArchive } from './write-oci-archive.ts';

test('the same tree makes the same archive, whoever made it in whatever order and when', async (t) => {
  const [one, other] = [await directory(t), await directory(t)];
  await tree(one, ['b', 'a', 'ä'], new Date(0));
  await tree(other, ['ä', 'a', 'b'], new Date());
  const options = { name: 'x:1', config: { user: '1' }, compression: 'gzip' } as const;
  await writeOciArchive({
    ...options,
    path: path.join(one, 'x.tar'),
    layers: [{ directory: `${one}/tree` }],
  });
  await writeOciArchive({
    ...options,
    path: path.join(other, 'x.tar'),
    layers: [{ directory: `${other}/tree` }],
  });
  assert.equal(await digest(path.join(one, 'x.tar')), await digest(path.join(other, 'x.tar')));
});

test('another mode is another archive', async (t) => {
  const where = await directory(t);
  await tree(where, ['a'], new Date());
  const write = (file: string) =>
    writeOciArchive({ path: file, name: 'x:1', config: {}, layers: [{ directory: `${where}/tree` }] });
  const before = await write(path.join(where, '1.tar'));
  await chmod(`${where}/tree/a`, 0o600);
  const after = await write(path.join(where, '2.tar'));
  assert.notEqual(before.manifest.digest, after.manifest.digest);
});

test('what is unpacked is what went in: files, modes, links, the later layer over the earlier', async (t) => {
  const where = await directory(t);
  await tree(where, ['a', 'b'], new Date());
  await mkdir(`${where}/above`);
  await writeFile(`${where}/above/b`, 'above');
  await runTool('tar', ['--create', `--file=${where}/above.tar`, `--directory=${where}/above`, 'b']);
  const archive = await writeOciArchive({
    path: path.join(where, 'made/x.tar'),
    name: 'x:1',
    config: { user: '65532', cmd: ['/a'] },
    layers: [{ directory: `${where}/tree` }, { tar: `${where}/above.tar` }],
    compression: 'gzip',
  });
  const image = await unpackImage(archive.path, path.join(where, 'unpacked'));
  assert.deepEqual(image.config, { User: '65532', Cmd: ['/a'] });
  assert.equal(await readFile(path.join(image.root, 'b'), 'utf8'), 'above');
  assert.equal(await readFile(path.join(image.root, 'link'), 'utf8'), 'a');
  assert.deepEqual(
    image.entries.map(({ path: name, mode }) => [name, mode]),
    [
      ['a', 0o755],
      ['b', 0o644],
      ['link', 0o777],
    ],
  );
});

test('a layer of an empty directory has no entries', async (t) => {
  const where = await directory(t);
  await mkdir(`${where}/empty`);
  const { file } = await packLayer({ directory: `${where}/empty` }, where, { compression: 'none' });
  assert.equal(await runTool('tar', ['--list', `--file=${file}`]), '');
});

test('a layer that is kept in a cache is the same the second time', async (t) => {
  const where = await directory(t);
  await tree(where, ['a'], new Date());
  const options = { compression: 'gzip', cache: path.join(where, 'cache') } as const;
  const first = await packLayer({ directory: `${where}/tree` }, `${where}/1`, options);
  const second = await packLayer({ directory: `${where}/tree` }, `${where}/2`, options);
  assert.deepEqual({ ...second, file: '' }, { ...first, file: '' });
  assert.equal(await digest(second.file), second.descriptor.digest);
});

test('a program that is missing is told with the package that has it', async (t) => {
  const before = process.env['PATH'];
  t.after(() => (process.env['PATH'] = before));
  process.env['PATH'] = '/nowhere';
  await assert.rejects(runTool('strip', ['--version']), (error: unknown) => {
    return error instanceof ImageError && error.code === 'ToolMissing' && /binutils/.test(error.message);
  });
});

test('a program that fails is told with what it said', async () => {
  await assert.rejects(runTool('gzip', ['--no-such-flag']), /gzip failed \(1\): .*no-such-flag/s);
});

/** Files with their name as content; `a` may be run. */
async function tree(where: string, names: readonly string[], time: Date): Promise<void> {
  const root = path.join(where, 'tree');
  await mkdir(root);
  await symlink('a', path.join(root, 'link'));
  for (const name of names) {
    const file = path.join(root, name);
    await writeFile(file, name);
    await chmod(file, name === 'a' ? 0o755 : 0o644);
    await utimes(file, time, time);
  }
}

async function directory(t: TestContext): Promise<string> {
  const made = await guardedDirectory('careen-archive-');
  t.after(() => made.remove());
  return made.path;
}

async function digest(file: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
}
