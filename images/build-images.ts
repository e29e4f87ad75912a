import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { buildBundles, type Bundle } from '#scripts/build.ts';
import { root } from '#scripts/tool.ts';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { stageBase, type BasePackage } from './base/stage-base.ts';
import { packLayer, type Compression, type Layer } from './oci/layer.ts';
import { writeOciArchive, type OciArchive } from './oci/write-oci-archive.ts';
import { imageDefinitions, type ImageDefinition } from './programs/image-definitions.ts';
import { stagePrograms } from './programs/stage-programs.ts';

/** Where images go and how they are written. */
export interface BuildImagesOptions {
  directory: string;
  /** Default `gzip`, as released; tests that only import them are quicker with `none`. */
  compression?: Compression | undefined;
  /** Told what a reader of the output should know; default: standard error. */
  notice?: ((line: string) => void) | undefined;
}

/** The images that were built. */
export interface BuiltImages {
  /** Paths of the OCI archives. */
  operators: string;
  agent: string;
  archives: OciArchive[];
}

/** What both images are made of. */
interface Parts {
  directory: string;
  version: string;
  compression: Compression;
  base: Layer;
  packages: BasePackage[];
  bundles: Bundle[];
}

/**
 * Bundles the programs and writes both images as OCI archives to `directory`. The same sources, dependencies and
 * packages make the same bytes, wherever and whenever. `directory/context` holds the trees of which they are
 * made: what the Containerfile copies.
 * @throws ImageError
 */
export async function buildImages(options: BuildImagesOptions): Promise<BuiltImages> {
  const { directory, compression = 'gzip', notice = console.error } = options;
  await rm(path.join(directory, 'context'), { recursive: true, force: true });
  const work = await guardedDirectory('careen-images-');
  const staged = path.join(directory, 'context/base');
  const [bundles, packages] = await Promise.all([buildBundles(work.path), stageBase(staged, notice)]);
  const cache = path.join(cacheDirectory(), 'layers');
  const base = await packLayer({ directory: staged }, work.path, { compression, cache });
  const parts = { directory, version: await ourVersion(), compression, base, packages, bundles };
  const [operators, agent] = imageDefinitions(parts.version);
  const archives = [await buildImage(operators, parts), await buildImage(agent, parts)] as const;
  await work.remove();
  return { operators: archives[0].path, agent: archives[1].path, archives: [...archives] };
}

async function buildImage(definition: ImageDefinition, parts: Parts): Promise<OciArchive> {
  const { directory, version, compression, base } = parts;
  const above = path.join(directory, 'context', definition.name);
  const programs = parts.bundles.filter(({ file }) => definition.holds(path.basename(file)));
  await stagePrograms(above, programs);
  return writeOciArchive({
    path: path.join(directory, `careen-${definition.name}-${version}.oci.tar`),
    name: `careen/${definition.name}:${version}`,
    layers: [base, { directory: above }],
    config: definition.config,
    compression,
  });
}

async function ourVersion(): Promise<string> {
  const text = await readFile(path.join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
