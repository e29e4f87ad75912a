import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { TOOL_PATH } from '../tool.ts';

const run = promisify(execFile);

/** A root directory as a node has it, whose /usr is an image: programs of the image run in it, but nothing is booted. */
export interface SlotRoot {
  /** Runs a shell script in it and gives what it printed; mounts are in a namespace of its own. */
  run: (script: string) => Promise<string>;
  remove: () => Promise<void>;
}

/** `state` is the directory with the node's etc/ and var/. */
export async function slotRoot(image: string, state: string): Promise<SlotRoot> {
  const { path: root, remove } = await guardedDirectory('careen-slot-root-');
  for (const name of ['etc', 'var'])
    await cp(path.join(state, name), path.join(root, name), { recursive: true, verbatimSymlinks: true });
  for (const name of ['usr', 'proc', 'dev', 'tmp', 'run']) await mkdir(path.join(root, name));
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, path.join(root, name));
  const enter =
    'mount -o loop,ro "$1" "$2/usr" && mount -t proc proc "$2/proc" && mount --bind /dev "$2/dev" && exec chroot "$2" /bin/sh -c "$3"';
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', enter, 'sh', image, root];
  return {
    run: async (script) =>
      (await run('unshare', [...args, script], { env: { PATH: TOOL_PATH, LC_ALL: 'C' } })).stdout,
    remove,
  };
}
