import type { ConfigDocument } from '#api/config-document.ts';
import type { Problem } from './rendered.ts';

/** Of a document's JSON in a RenderedConfig, in bytes: the API server takes about 1.5 MB for an object. */
export const RENDERED_LIMIT = 1_000_000;

/** Names what takes most of the room, because that is what can be made smaller. */
export function tooLarge({ files }: ConfigDocument, json: string): Problem {
  const largest = files
    .map((file) => ({ file, bytes: Buffer.byteLength(JSON.stringify(file.content)) }))
    .toSorted((a, b) => b.bytes - a.bytes || (a.file.path < b.file.path ? -1 : 1))
    .slice(0, 3);
  const list = largest.map(({ file, bytes }) => `${file.path} of ${file.from.join(' and ')} (${kib(bytes)})`);
  return {
    config: [...new Set(largest.flatMap(({ file }) => file.from))].toSorted()[0] ?? '',
    reason: 'TooLarge',
    place: 'files',
    message: `all together take ${kib(Buffer.byteLength(json))} of ${kib(RENDERED_LIMIT)}; the largest are ${list.join(', ')}`,
  };
}

export function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
