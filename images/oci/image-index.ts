import type { Descriptor } from './descriptor.ts';
import { qualifiedName } from './qualified-name.ts';

/**
 * `index.json` of a layout with one image. Only one, and nothing else: podman and skopeo refuse an archive that
 * holds a second manifest, even one that merely refers to the first (a bill of materials, say).
 */
export function imageIndex(name: string, manifest: Descriptor): Record<string, unknown> {
  const qualified = qualifiedName(name);
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...manifest,
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: {
          // containerd imports under the one, other engines under the other.
          'io.containerd.image.name': qualified,
          'org.opencontainers.image.ref.name': qualified.slice(qualified.lastIndexOf(':') + 1),
        },
      },
    ],
  };
}
