import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { blobPath, type Blob, type Descriptor } from './descriptor.ts';
import { imageIndex } from './image-index.ts';
import { image, type ImageConfig } from './image.ts';
import { packLayer, type Compression, type Layer, type LayerSource } from './layer.ts';
import { qualifiedName } from './qualified-name.ts';
import { runTool } from './run-tool.ts';
import { tarArguments } from './tar-arguments.ts';

/** An image to write. */
export interface OciArchiveOptions {
  /** The archive's file; its directory is made. */
  path: string;
  /** The name under which a node's runtime knows the image after importing it: `careen/agent:0.1.0`. */
  name: string;
  /** From the bottom up. A layer that is packed already may be in several images. */
  layers: readonly (LayerSource | Layer)[];
  config: ImageConfig;
  /** Default `none`. */
  compression?: Compression | undefined;
}

/** An archive that was written. */
export interface OciArchive {
  path: string;
  /** As a kubelet asks for it. */
  name: string;
  /** What the image is known by in a registry. */
  manifest: Descriptor;
  layers: Layer['descriptor'][];
}

/**
 * Writes an image as a tar of an OCI layout, which `ctr image import`, `podman load` and `skopeo copy oci-archive:`
 * read. The same layers and config make the same bytes.
 */
export async function writeOciArchive(options: OciArchiveOptions): Promise<OciArchive> {
  const layout = await guardedDirectory('careen-image-');
  const layers: Layer[] = [];
  for (const layer of options.layers) {
    layers.push(await place(layer, layout.path, options.compression ?? 'none'));
  }
  const { config, manifest } = image(layers, options.config);
  for (const blob of [config, manifest]) await writeBlob(layout.path, blob);
  const index = imageIndex(options.name, manifest.descriptor);
  await writeFile(path.join(layout.path, 'index.json'), JSON.stringify(index));
  await writeFile(path.join(layout.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await archive(layout.path, options.path);
  await layout.remove();
  return {
    path: options.path,
    name: qualifiedName(options.name),
    manifest: manifest.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
}

async function place(layer: LayerSource | Layer, layout: string, compression: Compression): Promise<Layer> {
  if (!('descriptor' in layer)) return packLayer(layer, layout, { compression });
  const file = path.join(layout, blobPath(layer.descriptor.digest));
  await mkdir(path.dirname(file), { recursive: true });
  await link(layer.file, file).catch(() => copyFile(layer.file, file)); // another file system
  return layer;
}

async function writeBlob(layout: string, { descriptor, content }: Blob): Promise<void> {
  const file = path.join(layout, blobPath(descriptor.digest));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** The archive appears at once: a reader never finds half of one. */
async function archive(layout: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const temporary = `${target}.${randomUUID()}`;
  const args = ['--mode=u=rwX,go=rX', ...tarArguments(layout, await readdir(layout))];
  await runTool('tar', args, { output: createWriteStream(temporary) });
  await rename(temporary, target);
}
