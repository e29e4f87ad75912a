import { hash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildBundles, type Bundle } from '#scripts/build.ts';
import { root } from '#scripts/tool.ts';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { nodeRelease, type NodeRelease } from './base/node-release.ts';
import { stageBase, type BasePackage } from './base/stage-base.ts';
import { packLayer, type Compression, type Layer } from './oci/layer.ts';
import { writeOciArchive, type OciArchive } from './oci/write-oci-archive.ts';
import { imageDefinitions, type ImageDefinition } from './programs/image-definitions.ts';
import { stagePrograms } from './programs/stage-programs.ts';
import { billOfMaterials } from './sbom/bill-of-materials.ts';

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
  images: BuiltImage[];
}

/** An image with its bill of materials. */
export interface BuiltImage {
  archive: OciArchive;
  /** Path of the bill; it cannot be in the archive, see imageIndex(). */
  bill: string;
}

/** What both images are made of. */
interface Parts {
  directory: string;
  version: string;
  compression: Compression;
  base: Layer;
  debian: BasePackage[];
  node: NodeRelease;
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
  const [bundles, debian] = await Promise.all([buildBundles(work.path), stageBase(staged, notice)]);
  const cache = path.join(cacheDirectory(), 'layers');
  const base = await packLayer({ directory: staged }, work.path, { compression, cache });
  const [version, node] = await Promise.all([ourVersion(), nodeRelease()]);
  const parts = { directory, version, compression, base, debian, node, bundles };
  const [operators, agent] = imageDefinitions(version);
  const images = [await buildImage(operators, parts), await buildImage(agent, parts)] as const;
  await work.remove();
  return { operators: images[0].archive.path, agent: images[1].archive.path, images: [...images] };
}

async function buildImage(definition: ImageDefinition, parts: Parts): Promise<BuiltImage> {
  const { directory, version, compression, base } = parts;
  const above = path.join(directory, 'context', definition.name);
  const bundles = parts.bundles.filter(({ file }) => definition.holds(path.basename(file)));
  const npm = await stagePrograms(above, bundles);
  const file = path.join(directory, `careen-${definition.name}-${version}`);
  const archive = await writeOciArchive({
    path: `${file}.oci.tar`,
    name: `careen/${definition.name}:${version}`,
    layers: [base, { directory: above }],
    config: definition.config,
    compression,
  });
  const programs = await Promise.all(bundles.map(program));
  const contents = {
    ...parts,
    name: `careen-${definition.name}`,
    digest: archive.manifest.digest,
    programs,
    npm,
  };
  await writeFile(`${file}.cdx.json`, `${JSON.stringify(billOfMaterials(contents), null, 2)}\n`);
  return { archive, bill: `${file}.cdx.json` };
}

async function program({ file }: Bundle): Promise<{ name: string; sha256: string }> {
  return { name: path.basename(file), sha256: hash('sha256', await readFile(file)) };
}

async function ourVersion(): Promise<string> {
  const text = await readFile(path.join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
