import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import type { RealBehaviour } from './behaviour.ts';
import { debianTool } from './debian-tool.ts';
import type { Suite } from './debian-tree.ts';
import { osTree, type OsTreeOptions } from './os-tree.ts';
import { pseudoFiles, type PseudoFiles } from './pseudo-files.ts';
import { slotChanges } from './slot-changes.ts';

/** The time of everything in an image that was made by us or by Debian's maintainer scripts. */
const EPOCH = '1700000000';

export interface RealOsImageOptions extends Pick<OsTreeOptions, 'progress'> {
  /** Where the image is written; an existing file is replaced. */
  path: string;
  version: string;
  /** `ok` unless told. */
  behaviour?: RealBehaviour | undefined;
  /** `bookworm` unless told. */
  suite?: Suite | undefined;
}

/**
 * Builds what a USR slot of a real node holds: a squashfs with systemd, the units of containerd and the kubelet,
 * and `lib/os-release`. The same options give the same bytes, as long as the tree in the cache is the same.
 * @throws RealNodeError
 */
export async function buildRealOsImage(options: RealOsImageOptions): Promise<void> {
  const { usr } = await osTree(options.suite ?? 'bookworm', { progress: options.progress });
  const changes = await slotChanges(options.version, options.behaviour ?? 'ok');
  const pseudo = pseudoFiles(changes, (file) => isThere(path.join(usr, file)));
  await mkdir(path.dirname(options.path), { recursive: true });
  const temporary = `${options.path}.${randomUUID()}`;
  try {
    await makeSquashfs(usr, path.resolve(temporary), pseudo);
    await rename(temporary, options.path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Also a link that leads nowhere, as many do in a tree without its root. */
function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

async function makeSquashfs(usr: string, target: string, pseudo: PseudoFiles): Promise<void> {
  const work = await guardedDirectory('careen-slot-');
  try {
    const write = (name: string, text: string): Promise<void> => writeFile(path.join(work.path, name), text);
    await Promise.all(pseudo.contents.map((text, index) => write(String(index), text)));
    await write('pseudo', `${pseudo.definitions.join('\n')}\n`);
    await write('excluded', `${pseudo.excluded.join('\n')}\n`);
    const quickly = ['-comp', 'zstd', '-Xcompression-level', '3'];
    const quietly = ['-noappend', '-all-root', '-no-progress', '-quiet'];
    await debianTool(
      'mksquashfs',
      [usr, target, '-pf', 'pseudo', ...quickly, ...quietly, '-ef', 'excluded'],
      {
        cwd: work.path,
        env: { SOURCE_DATE_EPOCH: EPOCH },
        within: work.cleanup,
      },
    );
  } finally {
    await work.remove();
  }
}
