import type { RebootWindowSpec } from '#api/reboot-window.ts';
import { compileSpan, type Span } from './span.ts';

/**
 * A window policy, ready to be asked about any instant (epoch milliseconds).
 *
 * Open while an allow span covers the instant (or none is given) and no deny span does. Spans include their
 * first instant and exclude their last, so a deny that begins where an allow ends leaves nothing between.
 * locksmith counts the last instant as inside; here `nextClose` is the first instant at which nothing may begin.
 */
export interface Window {
  /** Why the policy cannot be evaluated; it is closed then. */
  invalid?: string;
  at(now: number): Opening;
}

/** The state of a window at an instant; `until` is the next instant at which it may change. */
export interface Opening {
  open: boolean;
  /** The reason that a deny span in force gives. */
  denied?: string | undefined;
  until?: number | undefined;
}

/** Compiles a window policy; what cannot be evaluated is closed and says why, it never throws. */
export function compileWindow(spec: Pick<RebootWindowSpec, 'allow' | 'deny'>): Window {
  try {
    const allow = spec.allow.map((span) => compileSpan(span));
    const deny = spec.deny.map((span) => ({ covers: compileSpan(span), reason: span.reason }));
    let last: { now: number; opening: Opening } | undefined;
    const at = (now: number) => {
      // A decision asks about the same instant once for each node.
      if (last?.now !== now) last = { now, opening: opening(allow, deny, now) };
      return last.opening;
    };
    return { at };
  } catch (error) {
    return {
      invalid: error instanceof Error ? error.message : String(error),
      at: () => ({ open: false }),
    };
  }
}

function opening(
  allow: readonly Span[],
  deny: readonly { covers: Span; reason?: string | undefined }[],
  now: number,
) {
  const allowed = allow.map((covers) => covers(now));
  const denied = deny.map(({ covers, reason }) => ({ ...covers(now), reason }));
  const forbids = denied.filter(({ covered }) => covered);
  return {
    open: forbids.length === 0 && (allowed.length === 0 || allowed.some(({ covered }) => covered)),
    ...(forbids.length > 0 ? { denied: forbids.find(({ reason }) => reason)?.reason ?? 'a deny span' } : {}),
    until: soonest([...allowed, ...denied].map(({ until }) => until)),
  };
}

function soonest(instants: readonly (number | undefined)[]): number | undefined {
  return instants.reduce(
    (first, at) => (first === undefined || (at ?? Infinity) < first ? at : first),
    undefined,
  );
}
