import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Blob } from './descriptor.ts';
import { imageIndex } from './image-index.ts';
import { image, type ImageLayer } from './image.ts';

const layer = (name: string): ImageLayer => ({
  descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${name}`, size: 10 },
  diffId: `sha256:plain-${name}`,
});

test('a manifest names its configuration by the digest and size of its bytes', () => {
  const { config, manifest } = image([layer('a')], { user: '65532' });
  const hex = createHash('sha256').update(config.content).digest('hex');
  assert.equal(document(manifest).config.digest, `sha256:${hex}`);
  assert.equal(document(manifest).config.size, config.content.byteLength);
});

test('layers keep their order: compressed in the manifest, as they are unpacked in the configuration', () => {
  const { config, manifest } = image([layer('a'), layer('b')], {});
  assert.deepEqual(
    document(manifest).layers.map(({ digest }) => digest),
    ['sha256:a', 'sha256:b'],
  );
  assert.deepEqual(document(config).rootfs, {
    type: 'layers',
    diff_ids: ['sha256:plain-a', 'sha256:plain-b'],
  });
});

test('what a configuration leaves out is left out of the document', () => {
  const { config } = image([], { entrypoint: ['node'], labels: { a: 'b' } });
  assert.deepEqual(document(config).config, { Entrypoint: ['node'], Labels: { a: 'b' } });
});

test('an index has one manifest, under the names by which containerd and others know it', () => {
  const { manifest } = image([], {});
  const index = imageIndex('careen/agent:0.1.0', manifest.descriptor) as { manifests: unknown[] };
  assert.deepEqual(index.manifests, [
    {
      ...manifest.descriptor,
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: {
        'io.containerd.image.name': 'docker.io/careen/agent:0.1.0',
        'org.opencontainers.image.ref.name': '0.1.0',
      },
    },
  ]);
});

interface Document {
  config: { digest: string; size: number };
  layers: { digest: string }[];
  rootfs: unknown;
}

function document({ content }: Blob): Document {
  return JSON.parse(Buffer.from(content).toString('utf8')) as Document;
}
