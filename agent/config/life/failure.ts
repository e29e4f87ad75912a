import { ConfigError } from '../config-error.ts';
import type { ConfigFailure } from './config-record.ts';

const LONGEST = 1024;

/** An error in the words of status. */
export function configFailureOf(error: unknown): ConfigFailure {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST);
  return { code: error instanceof ConfigError ? error.code : 'Internal', message };
}

/** What is worth trying again by itself: whoever writes bundles may be late, or away. */
export function isPassing({ code }: ConfigFailure): boolean {
  return code === 'BundleUnreachable' || code === 'BundleInvalid';
}
