import { isStoreError, StoreError, type StoreErrorCode } from '../store-error.ts';

/** What to do about a failed attempt: `again` at once, `elsewhere` once a server that takes writes is found, or nothing. */
export type Remedy = 'again' | 'elsewhere' | 'none';

/** Serialisation failure, deadlock, a key that another replica made first, a lock that was waited for too long. */
const AGAIN = new Set(['40001', '40P01', '23505', '55P03']);

/** A standby; a server that goes down, comes up, or cut our connection off. */
const ELSEWHERE = new Set(['25006', '57P01', '57P02', '57P03', '57P05', '25P03', '53300']);

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  '53100': 'Full',
  XX001: 'Corrupt',
  XX002: 'Corrupt',
};

/** Tells by PostgreSQL's code (appendix A of its manual); an error without one is the connection's. */
export function remedyOf(error: unknown): Remedy {
  if (isStoreError(error, 'Contended')) return 'again';
  if (isStoreError(error)) return error.code === 'Unavailable' ? 'elsewhere' : 'none';
  const code = codeOf(error);
  if (code !== undefined && AGAIN.has(code)) return 'again';
  if (code === undefined || ELSEWHERE.has(code) || code.startsWith('08')) return 'elsewhere';
  return 'none';
}

/** The store's word for an error of the server or of the connection to it. */
export function postgresError(error: unknown): StoreError {
  if (isStoreError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error) ?? '';
  if (AGAIN.has(code))
    return new StoreError('Contended', `PostgreSQL: other replicas were in the way: ${message}`, error);
  return new StoreError(CODES[code] ?? 'Unavailable', `PostgreSQL: ${message}`, error);
}

/** The server's five characters; undefined for an error of the connection, whose code is a word. */
function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
