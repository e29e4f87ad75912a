import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';
import { ImageError } from './image-error.ts';

/** Debian's package of each program that making images needs. */
const packages = {
  tar: 'tar',
  gzip: 'gzip',
  strip: 'binutils',
  'apt-get': 'apt',
  'apt-cache': 'apt',
  'dpkg-deb': 'dpkg',
  npm: 'npm',
} as const;

/** What the user has set for tar and gzip, the language and the time zone must not be seen in an image. */
const neutral = { LC_ALL: 'C', TZ: 'UTC', GZIP: undefined, TAR_OPTIONS: undefined };

/** How to run a tool. */
export interface ToolOptions {
  input?: Readable | undefined;
  /** Without it the output is returned. */
  output?: Writable | undefined;
  cwd?: string | undefined;
}

/**
 * Runs a program to its end.
 * @throws ImageError ToolMissing with the package to install, ToolFailed with what the program said
 */
export async function runTool(
  name: keyof typeof packages,
  args: readonly string[],
  { input, output, cwd }: ToolOptions = {},
): Promise<string> {
  const env = { ...process.env, ...neutral };
  const child = spawn(name, args, { cwd, env, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('error', () => reject(missing(name)));
    child.once('close', resolve);
  });
  const { stdin, stdout, stderr } = child as { stdin: Writable | null; stdout: Readable; stderr: Readable };
  const [code, said, printed] = await Promise.all([
    status,
    text(stderr),
    output ? pipeline(stdout, output).then(() => '') : text(stdout),
    input && stdin && pipeline(input, stdin),
  ]);
  if (code !== 0) throw new ImageError('ToolFailed', `${name} failed (${code}): ${said.trim()}`);
  return printed;
}

function missing(name: keyof typeof packages): ImageError {
  return new ImageError('ToolMissing', `${name} is missing: install the package ${packages[name]}`);
}
