import { jsonBlob, type Blob, type Descriptor } from './descriptor.ts';

/** How containers of an image start: the `config` of OCI's config.md, with what we use of it. */
export interface ImageConfig {
  /** `uid` or `uid:gid`; default root. */
  user?: string | undefined;
  /** `NAME=value` */
  env?: readonly string[] | undefined;
  entrypoint?: readonly string[] | undefined;
  cmd?: readonly string[] | undefined;
  workingDir?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

/** A layer as an image names it. */
export interface ImageLayer {
  descriptor: Descriptor;
  diffId: string;
}

/** An image without its layers: two documents. */
export interface Image {
  config: Blob;
  manifest: Blob;
}

const platform = { architecture: 'amd64', os: 'linux' } as const;

/** The documents of an image. There is no time in them: it would make every build another one. */
export function image(layers: readonly ImageLayer[], config: ImageConfig): Image {
  const configBlob = jsonBlob('application/vnd.oci.image.config.v1+json', {
    created: '1970-01-01T00:00:00Z',
    ...platform,
    config: containerConfig(config),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = jsonBlob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: configBlob.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { config: configBlob, manifest };
}

function containerConfig(config: ImageConfig): Record<string, unknown> {
  return {
    User: config.user,
    Env: config.env,
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    WorkingDir: config.workingDir,
    Labels: config.labels,
  };
}
