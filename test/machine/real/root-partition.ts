import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Partition } from '../disk.ts';
import { tool } from './tool.ts';

const EMPTY = 'usr run proc sys dev mnt home srv root var/log/journal'
  .split(' ')
  .concat(['bin', 'cni', 'kbin', 'images'].map((name) => `opt/node/${name}`));

/**
 * Makes the file system of a ROOT partition, with /etc and /var of the template (a directory that holds both) and
 * files of the node's own. /usr is empty there: the slot that is booted is mounted on it.
 */
export async function fillRoot(
  disk: string,
  partition: Partition,
  template: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const tree = await mkdtemp(`${disk}.root-`);
  try {
    await plant(tree, template, files);
    const options = ['-E', `offset=${partition.offset},nodiscard,lazy_itable_init=1,lazy_journal_init=1`];
    const size = `${partition.size / 1024}k`;
    await tool('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'ROOT', ...options, '-d', tree, disk, size]);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function plant(tree: string, template: string, files: Readonly<Record<string, string>>): Promise<void> {
  await chmod(tree, 0o755);
  await tool('cp', ['-a', join(template, 'etc'), join(template, 'var'), tree]);
  for (const directory of EMPTY) await mkdir(join(tree, directory), { recursive: true });
  await mkdir(join(tree, 'tmp'));
  await chmod(join(tree, 'tmp'), 0o1777);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(tree, name));
  for (const [path, content] of Object.entries(files)) {
    const file = join(tree, path);
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true }); // the template may have a link there
    await writeFile(file, content, { mode: modeOf(path) });
  }
}

function modeOf(path: string): number {
  if (path.endsWith('.key') || path.endsWith('kubeconfig')) return 0o600;
  return path.startsWith('opt/') ? 0o755 : 0o644;
}
