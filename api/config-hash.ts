import { createHash, createHmac } from 'node:crypto';
import type { ConfigDocument } from './config-document.ts';

/** JSON with the keys of every object sorted by code unit and nothing between tokens: same value, same bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** The same value with sorted keys and without absent ones; JSON.stringify of it is canonical. */
export function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted<unknown>(inner)]),
  ) as T;
}

/** SHA-256 in hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * What a node's bundle is known by: HMAC-SHA-256, in hex, of the canonical JSON of its document, with the bundle's
 * salt (as the text that it is) for a key. Without the salt nobody can try what a secret in it may be.
 */
export function bundleHash(document: ConfigDocument, salt: string): string {
  return documentHash(canonicalJson(document), salt);
}

/** The same of a document that is canonical JSON already. */
export function documentHash(json: string, salt: string): string {
  return createHmac('sha256', salt).update(json).digest('hex');
}
