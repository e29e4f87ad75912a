import type { Manifest } from './manifest.ts';
import { PayloadError } from './payload-error.ts';

/** Clocks of publishers and nodes may differ by this much. */
const SKEW_MS = 5 * 60_000;

/**
 * Refuses a manifest past its `expires`, so that an old one cannot be replayed for ever (invariant 12). A node whose
 * clock is before the manifest was made cannot judge that: it says so instead of letting the manifest pass.
 */
export function checkFresh({ created, expires, version }: Manifest, now: number): void {
  const date = new Date(now).toISOString();
  if (created !== undefined && now < Date.parse(created) - SKEW_MS) {
    const message = `the node's clock says ${date}, before ${version} was published (${created}); set the clock`;
    throw new PayloadError('ClockWrong', message);
  }
  if (expires !== undefined && now >= Date.parse(expires)) {
    const message = `the payload of ${version} expired at ${expires} (the node's clock says ${date}); publish it again`;
    throw new PayloadError('ManifestExpired', message);
  }
}
