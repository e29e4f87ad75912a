import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

/** The merge patch (RFC 7396) that turns `from` into `to`; undefined when there is nothing to change. Lists change as a whole. */
export function mergePatch(from: object, to: object): Json | undefined {
  const before = from as Json;
  const after = to as Json;
  const patch: Json = {};
  for (const key of Object.keys(before)) {
    if (after[key] === undefined) patch[key] = null;
  }
  for (const [key, value] of Object.entries(after)) {
    const change = value === undefined ? undefined : changeOf(before[key], value);
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function changeOf(before: unknown, after: unknown): unknown {
  if (isDeepStrictEqual(before, after)) return undefined;
  return isObject(before) && isObject(after) ? mergePatch(before, after) : after;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
