import type { Target, Wanted } from './facts.ts';

/** What `wanted` asks to be staged; undefined when it names no version or no payload. */
export function targetOf(wanted: Wanted | undefined): Target | undefined {
  if (wanted?.version === undefined || wanted.payload === undefined) return undefined;
  const { version, attempt = 1, payload } = wanted;
  return { version, attempt, manifestSHA256: payload.sha256 };
}

/**
 * Whether what is, or is being, staged is what `wanted` asks for. The attempt does not count: it is raised
 * after a failure, and this is none. Neither does the URL: a mirror may move.
 */
export function isTarget(have: Target, wanted: Wanted | undefined): boolean {
  const target = targetOf(wanted);
  return target?.version === have.version && target.manifestSHA256 === have.manifestSHA256;
}
