import { gzipSync } from 'node:zlib';
import { BUNDLE_LIMITS, type ConfigBundle } from '#api/config-document.ts';
import { kib } from './size.ts';

export type Packed = { ok: true; data: Buffer } | { ok: false; reason: 'TooLarge'; message: string };

/** The bytes of a node's bundle: gzip of its JSON; the same bundle gives the same bytes. */
export function packBundle(bundle: ConfigBundle): Packed {
  const plain = Buffer.from(JSON.stringify(bundle));
  if (plain.length > BUNDLE_LIMITS.plain) return refused(plain.length, BUNDLE_LIMITS.plain, 'plain', bundle);
  const data = gzipSync(plain, { level: 6 });
  if (data.length > BUNDLE_LIMITS.packed) return refused(data.length, BUNDLE_LIMITS.packed, 'gzip', bundle);
  return { ok: true, data };
}

/** Says paths and sizes, never content. */
function refused(bytes: number, limit: number, how: string, { document, node }: ConfigBundle): Packed {
  const [largest] = document.files
    .map(({ path, content }) => ({ path, bytes: Buffer.byteLength(JSON.stringify(content)) }))
    .toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  const most = largest === undefined ? '' : `; the largest is ${largest.path} (${kib(largest.bytes)})`;
  const message = `what node ${node.name} should have takes ${kib(bytes)} (${how}) of ${kib(limit)}${most}`;
  return { ok: false, reason: 'TooLarge', message };
}
