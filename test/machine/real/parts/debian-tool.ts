import path from 'node:path';
import { text } from 'node:stream/consumers';
import { isExecutable } from '#test/cluster/binaries/found-helm.ts';
import { guarded, type GuardedCleanup } from '#test/cluster/guardian.ts';
import { RealNodeError } from '../real-node-error.ts';
import { TOOL_PATH } from '../tool.ts';

/** Debian's packages of the programs that the parts of a node are made with. */
const packages = {
  mmdebstrap: 'mmdebstrap',
  mksquashfs: 'squashfs-tools',
  unsquashfs: 'squashfs-tools',
  gcc: 'gcc and libc6-dev',
  strip: 'binutils',
  busybox: 'busybox-static',
  tar: 'tar',
} as const;

export type DebianTool = keyof typeof packages;

export interface DebianToolOptions {
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Its mounts are its own, and are gone with it, however it ends. */
  ownMounts?: boolean | undefined;
  /** What must not be cleaned up while the tool runs. */
  within?: GuardedCleanup | undefined;
}

/**
 * Where the tool is.
 * @throws RealNodeError NotPossible with the package to install
 */
export async function findDebianTool(name: DebianTool, searchPath = TOOL_PATH): Promise<string> {
  for (const directory of searchPath.split(path.delimiter)) {
    const file = path.join(directory, name);
    if (directory !== '' && (await isExecutable(file))) return file;
  }
  throw new RealNodeError('NotPossible', `${name} is missing: install Debian's package ${packages[name]}`);
}

/**
 * Runs a tool to its end; it ends with this program. What it prints is dropped.
 * @throws RealNodeError NotPossible if it is missing, ToolFailed with the last lines that it said
 */
export async function debianTool(
  name: DebianTool,
  args: readonly string[],
  options: DebianToolOptions = {},
): Promise<void> {
  const file = await findDebianTool(name);
  const env = { ...process.env, PATH: TOOL_PATH, LC_ALL: 'C', ...options.env };
  const command =
    options.ownMounts === true ? ['unshare', '--mount', '--propagation', 'private', file] : [file];
  const [program = '', ...words] = [...command, ...args];
  const running = await guarded(program, words, { ...options, env, stderr: 'pipe', graceMs: 0 });
  const [said, status] = await Promise.all([
    running.stderr === null ? '' : text(running.stderr),
    running.exited,
  ]);
  if (status === 0) return;
  const last = said.trimEnd().split('\n').slice(-15).join('\n');
  throw new RealNodeError('ToolFailed', `${name} failed (${status}):\n${last}`);
}
