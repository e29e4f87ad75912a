import { BUNDLE_KEY } from '#api/config-document.ts';
import { sha256 } from '#api/config-hash.ts';
import type { NodeObject } from './node-objects.ts';

/** In place of a bundle's bytes: thousands of bundles need not be held to know whether they are the right ones. */
export const DIGEST = 'digest';

/** Drops the bytes of a bundle, but for what they are known by. */
export function stripNodeObject(object: NodeObject): NodeObject {
  const packed = object.data?.[BUNDLE_KEY];
  if (object.data === undefined) return object;
  return { ...object, data: packed === undefined ? {} : { [DIGEST]: sha256(packed) } };
}
