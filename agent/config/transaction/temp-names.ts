import { randomBytes } from 'node:crypto';

/** Names in the directory of a file that is being replaced. Short, so that any name has room for them. */
export interface TempNames {
  /** What is to take its place. */
  fresh: string;
  /** A second name of what is there, to take its place again. */
  old: string;
}

const PATTERN = /^\.careen-([0-9a-f]{16})-[0-9]+\.(new|old)$/;

export function newId(): string {
  return randomBytes(8).toString('hex');
}

/** `index`: of the change in its transaction. */
export function tempNames(id: string, index: number): TempNames {
  return { fresh: `.careen-${id}-${index}.new`, old: `.careen-${id}-${index}.old` };
}

/** Of a name that the agent makes, the transaction it is of, and whether it is one of the old or a new one. */
export function parseTempName(name: string): { id: string; kind: 'new' | 'old' } | undefined {
  const [, id, kind] = PATTERN.exec(name) ?? [];
  return id === undefined ? undefined : { id, kind: kind as 'new' | 'old' };
}
