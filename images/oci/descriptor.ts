import { createHash } from 'node:crypto';

/** What one part of an image is called by another: OCI image specification, descriptor.md. */
export interface Descriptor {
  mediaType: string;
  /** `sha256:<hex>` */
  digest: string;
  /** Bytes. */
  size: number;
}

/** A descriptor with the bytes that it describes. */
export interface Blob {
  descriptor: Descriptor;
  content: Uint8Array;
}

/** `sha256:<hex>` of `content`. */
export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A document of an image. Keys keep their order, so that the same document always has the same digest. */
export function jsonBlob(mediaType: string, document: unknown): Blob {
  const content = Buffer.from(JSON.stringify(document));
  return { descriptor: { mediaType, digest: digestOf(content), size: content.byteLength }, content };
}

/** Where a blob is in a layout directory: `blobs/sha256/<hex>`. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
