import { createHash } from 'node:crypto';
import { MOST_CONTENT } from '../content.ts';
import type { Cursor } from '../cursor.ts';
import { dataUrl, tooLong } from '../data-url.ts';
import { gunzip } from '../gunzip.ts';
import type { Dialect } from './dialect.ts';

const FIELDS = ['source', 'inline', 'local', 'compression', 'verification'] as const;
const BEYOND = {
  httpHeaders: 'nothing is fetched, so there is nobody to send headers to',
};

/** The bytes that `contents` stands for: unpacked and verified. */
export function bytesOf(contents: Cursor, dialect: Dialect): Buffer | undefined {
  const { compression, verification, ...from } = contents.fields(FIELDS, BEYOND);
  const given = dialect.sources.flatMap((key) =>
    from[key] === undefined ? [] : [{ key, cursor: from[key] }],
  );
  const [only] = given;
  if (only === undefined || given.length > 1)
    return contents.refuse(`give exactly one of ${dialect.sources.join(', ')}`);
  const packed = READ[only.key](only.cursor, dialect);
  if (packed === undefined) return undefined;
  const bytes = unpacked(packed, compression, only.cursor);
  if (bytes !== undefined && verification !== undefined) verify(bytes, verification);
  return bytes;
}

const READ = {
  source: readSource,
  inline: (cursor: Cursor) => capped(Buffer.from(cursor.text() ?? ''), cursor),
  local: readLocal,
};

function readSource(cursor: Cursor): Buffer | undefined {
  const url = cursor.text() ?? '';
  const [, scheme = ''] = /^([a-z0-9+.-]+):/i.exec(url) ?? [];
  if (scheme.toLowerCase() !== 'data') {
    return cursor.refuse(
      `is fetched from elsewhere (${scheme}); put the content in, or into a Secret or ConfigMap`,
    );
  }
  const found = dataUrl(url, MOST_CONTENT);
  return 'wrong' in found ? cursor.refuse(found.wrong) : found.bytes;
}

function readLocal(cursor: Cursor, { local }: Dialect): Buffer | undefined {
  const path = cursor.text() ?? '';
  const bytes = local(path);
  if (bytes === undefined)
    return cursor.refuse(`the file ${path} is not there; name its folder with --files-dir`);
  return capped(Buffer.from(bytes), cursor);
}

function capped(bytes: Buffer, cursor: Cursor): Buffer | undefined {
  return bytes.length > MOST_CONTENT ? cursor.refuse(tooLong(MOST_CONTENT)) : bytes;
}

function unpacked(bytes: Buffer, compression: Cursor | undefined, at: Cursor): Buffer | undefined {
  const how = compression?.text() ?? '';
  if (how === '') return bytes;
  if (how !== 'gzip') return compression?.refuse(`${how} is no compression of Ignition; there is gzip`);
  const found = gunzip(bytes, MOST_CONTENT);
  return 'wrong' in found ? at.refuse(found.wrong) : found.bytes;
}

/** The hash is of the unpacked bytes. */
function verify(bytes: Buffer, verification: Cursor): void {
  const { hash } = verification.fields(['hash']);
  const wanted = hash?.text();
  if (hash === undefined || wanted === undefined) return;
  const [, kind = '', hex] = /^(sha512|sha256)-([0-9a-f]+)$/i.exec(wanted) ?? [];
  if (hex === undefined) return hash.refuse('is neither sha512-… nor sha256-…');
  const found = createHash(kind.toLowerCase()).update(bytes).digest('hex');
  if (found !== hex.toLowerCase()) hash.refuse(`the content has ${kind}-${found}; it is not what was meant`);
}
