import { contentFields, MOST_CONTENT } from '../content.ts';
import type { Cursor } from '../cursor.ts';
import { fromBase64, tooLong } from '../data-url.ts';
import { modeOf } from '../file-mode.ts';
import { gunzip } from '../gunzip.ts';
import { checked, type Sections } from '../spec.ts';
import { substituted } from './substitutions.ts';

type File = NonNullable<Sections['files']>[number];

const FIELDS = ['path', 'content', 'permissions', 'owner', 'encoding'] as const;

/** One of `write_files`. */
export function readWriteFiles(at: Cursor): File | undefined {
  const { path, content, permissions, owner, encoding } = at.fields(FIELDS);
  const body = contentOf(at, content, encoding?.text() ?? '');
  if (body === undefined) return undefined;
  const [user, group] = owner?.text()?.split(':') ?? [];
  const file = {
    path: path?.text() ?? at.refuse('has no path') ?? '',
    ...body,
    ...(permissions && modeFrom(permissions)),
    ...(user && { user }),
    ...(group && { group }),
  };
  return checked(at, { files: [file] })?.files[0];
}

function contentOf(at: Cursor, content: Cursor | undefined, encoding: string) {
  const text = content?.text() ?? '';
  if (encoding === '') return { contents: substituted(content ?? at, text) };
  if (!/^((gz|gzip)\+)?(base64|b64)$|^(gz|gzip)$/.test(encoding))
    return at.refuse(`encoding ${encoding} is not known`);
  const bytes = encoding.endsWith('64') ? fromBase64(text) : Buffer.from(text, 'latin1');
  if (bytes === undefined) return content?.refuse('is not base64');
  const found = encoding.startsWith('gz') ? gunzip(bytes, MOST_CONTENT) : { bytes };
  if ('wrong' in found) return content?.refuse(found.wrong);
  return found.bytes.length > MOST_CONTENT
    ? content?.refuse(tooLong(MOST_CONTENT))
    : contentFields(found.bytes);
}

/** Octal with or without a leading zero, quoted or not. */
function modeFrom(at: Cursor) {
  const text = at.written()?.text ?? '';
  if (!/^0?[0-7]{3,4}$/.test(text)) return at.refuse('is no mode; write it in octal, such as "0644"');
  return modeOf(Number.parseInt(text, 8)) ?? at.refuse('is more than 7777');
}
