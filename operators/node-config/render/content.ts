import type { Content } from '#api/config-document.ts';
import type { NodeConfigSpec } from '#api/node-config.ts';
import type { Lookup } from './rendered.ts';
import { literal } from './values.ts';

type File = NodeConfigSpec['files'][number];

export type FileContent = { content: Content } | { missing: string } | { invalid: string };

/** Where a file's bytes come from. The same bytes give the same content, however they were written. */
export function contentOf({ contents, contentsBase64, contentsFrom }: File, configMaps: Lookup): FileContent {
  if (contents !== undefined) return { content: { text: contents } };
  if (contentsBase64 !== undefined) return fromBase64(contentsBase64);
  if (contentsFrom?.secret !== undefined) return { content: { secret: { ...contentsFrom.secret } } };
  if (contentsFrom?.configMap === undefined)
    return { invalid: 'has no content; give contents: "" if it is empty' };
  const { namespace, name, key } = contentsFrom.configMap;
  const bytes = configMaps(contentsFrom.configMap);
  return bytes === undefined
    ? {
        missing: `key ${key} of ConfigMap ${namespace}/${name} cannot be read; create it, or allow careen to read it`,
      }
    : { content: contentOfBytes(bytes) };
}

function fromBase64(text: string): FileContent {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    return { invalid: 'is not base64 (RFC 4648 §4); encode the bytes with base64 -w0' };
  }
  return { content: contentOfBytes(bytes) };
}

/** Text where it is text, with nothing in it filled in; bytes otherwise. */
export function contentOfBytes(bytes: Uint8Array): Content {
  try {
    return { text: literal(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}
