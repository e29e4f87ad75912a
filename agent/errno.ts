import { constants } from 'node:os';

const NAMES = new Map<number, string>(
  Object.entries(constants.errno).map(([name, number]) => [-number, name]),
);

/**
 * The system's name for an error (`ENOSPC`), if it is one of the system's. Node has none for some, EDQUOT among them:
 * it calls them "Unknown system error" and gives their number.
 */
export function errnoOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException;
  if (code?.startsWith('Unknown system error') !== true) return code;
  return NAMES.get(errno ?? 0) ?? code;
}
