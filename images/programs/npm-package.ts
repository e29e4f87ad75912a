import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '#scripts/tool.ts';
import { unknownLicence } from '../sbom/component.ts';

/** A package from the npm registry whose code is in a bundle. */
export interface NpmPackage {
  name: string;
  version: string;
  /** SPDX expression, as its package.json says. */
  licence: string;
  /** The file with the licence's text, if it has one. */
  licenceFile: string | undefined;
}

/**
 * The packages that files of a bundle come from, by name. `inputs` are paths from the root of the repository, as
 * esbuild's metafile has them; a package below another one's node_modules counts for itself.
 */
export async function npmPackages(inputs: readonly string[]): Promise<NpmPackage[]> {
  const directories = new Set(inputs.map(packageDirectory).filter((directory) => directory !== undefined));
  const packages = await Promise.all([...directories].toSorted().map(describe));
  return packages.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** `node_modules/a/node_modules/@b/c/lib/d.js` → `node_modules/a/node_modules/@b/c`. */
export function packageDirectory(input: string): string | undefined {
  return /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

async function describe(directory: string): Promise<NpmPackage> {
  const absolute = path.join(root, directory);
  const manifest = JSON.parse(await readFile(path.join(absolute, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const names = (await readdir(absolute)).toSorted();
  const licence = names.find((name) => /^(licen[cs]e|copying)/i.test(name));
  return {
    name: manifest.name,
    version: manifest.version,
    licence: manifest.license ?? unknownLicence,
    licenceFile: licence && path.join(absolute, licence),
  };
}

function key({ name, version }: NpmPackage): string {
  return `${name}@${version}`;
}
