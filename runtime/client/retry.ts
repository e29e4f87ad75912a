import { isKubeError } from './error.ts';

/** What is known when a request has failed. */
export interface Failure {
  method: string;
  path: string;
  /** How many attempts have failed, this one included. */
  attempts: number;
  error: unknown;
  /** Uniform in [0, 1). */
  random: number;
}

const MOST_ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/** Connection errors after which the server cannot have seen the request. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
]);

/** Full-jitter exponential back-off before the attempt after `attempts` failures. */
export function backoffMs(attempts: number, random: number): number {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts);
}

function causeCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error ? (cause as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

/**
 * Whether doing it again cannot do it twice. A read may always be repeated. A write may be repeated only
 * when the server refused it unprocessed (429, 503 with Retry-After) or cannot have received it; after a
 * lost reply the caller must look at the world.
 */
function repeatable({ method, path, error }: Failure): boolean {
  if (!isKubeError(error)) return false;
  // A drain asks again by itself, with what it knows then: the pod may be taken for lost meanwhile. And 429 is the
  // disruption budget's answer, for the drain to tell.
  if (path.endsWith('/eviction')) return false;
  if (error.code === 'TooManyRequests') return true;
  if (error.code === 'Unreachable') return method === 'GET' || NEVER_SENT.has(causeCode(error));
  if (error.code === 'Unavailable') return method === 'GET' || error.retryAfterMs !== undefined;
  return method === 'GET' && (error.status === 500 || error.status === 504);
}

/** Milliseconds to wait before the next attempt, or undefined when the failure is the answer. */
export function retryDelayMs(failure: Failure): number | undefined {
  if (failure.attempts >= MOST_ATTEMPTS || !repeatable(failure)) return undefined;
  const asked = isKubeError(failure.error) ? (failure.error.retryAfterMs ?? 0) : 0;
  return asked + backoffMs(failure.attempts, failure.random);
}
