import { hash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Build } from '#api/build.ts';
import type { Stack } from '#test/stack/stack.ts';

const NAME = 'update.gz';
const BYTES = 256 * 1024;

/** Puts a payload for update_engine beside that for the agents, and gives what a channel says of it. */
export async function publishBuild({ releases, payloads }: Stack, version: string): Promise<Build> {
  const bytes = randomBytes(BYTES);
  const directory = path.join(releases.root, version);
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, NAME), bytes);
  const digests = { sha1: hash('sha1', bytes, 'base64'), sha256: hash('sha256', bytes, 'base64') };
  return {
    architecture: 'amd64',
    codebases: [`${payloads.url}/${version}/`],
    packages: [{ name: NAME, size: BYTES, ...digests, required: true }],
  };
}
