import type { PathValue } from './claims.ts';
import { unitOfPath } from './unit-paths.ts';

/** What a conflict is about, in the user's words. */

export function describePath(path: string, values: readonly PathValue[]): string {
  const found = unitOfPath(path);
  if (found?.dropin !== undefined) return `drop-in ${found.dropin} of unit ${found.unit}`;
  if (found !== undefined) return `unit ${found.unit}`;
  const kinds = new Set(values.map(({ kind }) => kind));
  const [kind] = kinds;
  return kinds.size === 1 && kind !== undefined ? `${WORDS[kind]} ${path}` : `path ${path}`;
}

const WORDS = {
  file: 'file',
  directory: 'directory',
  link: 'link',
  generated: 'file',
  alias: 'unit alias',
  keys: 'file',
} as const satisfies Record<PathValue['kind'], string>;

/** Of things that a name says all about. */
export function describeUnder(before: string, after = '') {
  return (key: string): string => `${before} ${key}${after}`;
}
