import { chmod, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { runTool } from '../oci/run-tool.ts';
import { setModes, stage } from '../stage.ts';
import { accounts } from './accounts.ts';
import { debianPackages, type DebianPackage } from './debian-packages.ts';
import { fetchPackage, type FetchedPackage } from './fetch-package.ts';
import { nodeBinary } from './node-binary.ts';
import { nodeLicence } from './node-licence.ts';

/** What is in the base layer, for the bill of materials. */
export type BasePackage = DebianPackage & FetchedPackage;

/**
 * Lays out the base of all images in `root`: Node, the libraries that it is linked with, the few files that a
 * process looks for, and everybody's licence. No shell, no package manager.
 */
export async function stageBase(root: string, notice: (line: string) => void): Promise<BasePackage[]> {
  const packages: BasePackage[] = [];
  for (const pin of debianPackages) packages.push({ ...pin, ...(await fetchPackage(pin, notice)) });
  for (const debian of packages) await stagePackage(root, debian);
  await stageNode(root);
  for (const [file, text] of Object.entries(accounts)) await stage(root, file, { text });
  await mkdir(path.join(root, 'lib64'));
  // Where Node's binary asks for its loader: the x86-64 psABI fixes the path.
  await symlink(
    '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    path.join(root, 'lib64/ld-linux-x86-64.so.2'),
  );
  await mkdir(path.join(root, 'tmp'));
  await setModes(root, (file) => /\/bin\/|\/ld-linux/.test(file));
  await chmod(path.join(root, 'tmp'), 0o1777);
  return packages;
}

async function stagePackage(root: string, debian: BasePackage): Promise<void> {
  const unpacked = await guardedDirectory('careen-debian-');
  await runTool('dpkg-deb', ['--extract', debian.file, unpacked.path]);
  for (const file of debian.files) await stage(root, target(file), { file: path.join(unpacked.path, file) });
  await unpacked.remove();
}

/** Libraries go to one directory, copyright files to where the other licences are. */
function target(file: string): string {
  const [, name] = /^\/usr\/share\/doc\/(.+)\/copyright$/.exec(file) ?? [];
  return name === undefined ? `/lib/x86_64-linux-gnu/${path.basename(file)}` : `/licenses/debian/${name}`;
}

async function stageNode(root: string): Promise<void> {
  await stage(root, '/usr/bin/node', { file: nodeBinary });
  await stage(root, '/licenses/node', { file: await nodeLicence() });
  // A fifth of it is names of symbols that only a debugger wants.
  await runTool('strip', ['--strip-all', path.join(root, 'usr/bin/node')]);
}
