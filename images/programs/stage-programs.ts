import path from 'node:path';
import type { Bundle } from '#scripts/build.ts';
import { root } from '#scripts/tool.ts';
import { setModes, stage, type Staged } from '../stage.ts';
import { npmPackages, type NpmPackage } from './npm-package.ts';

/**
 * Lays out what an image has above the base in `directory`: its programs in /app, and the licences of Careen and
 * of the packages that are bundled into them. A bundle is one file: nothing else is loaded when it runs.
 */
export async function stagePrograms(directory: string, bundles: readonly Bundle[]): Promise<NpmPackage[]> {
  const packages = await npmPackages(bundles.flatMap(({ inputs }) => inputs));
  for (const { file } of bundles) await stage(directory, `/app/${path.basename(file)}`, { file });
  await stage(directory, '/licenses/careen', { file: path.join(root, 'LICENSE') });
  for (const npm of packages) await stage(directory, licencePath(npm), licenceText(npm));
  await setModes(directory, () => false);
  return packages;
}

function licencePath({ name, version }: NpmPackage): string {
  return `/licenses/npm/${name.replace('/', '+')}@${version}`;
}

/** Some packages only name their licence. */
function licenceText({ licence, licenceFile }: NpmPackage): Staged {
  return licenceFile === undefined ? { text: `${licence}\n` } : { file: licenceFile };
}
