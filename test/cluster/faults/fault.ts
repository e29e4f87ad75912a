/** Which requests a fault meets; a field that is absent fits all. Texts must be equal, patterns must match. */
export interface Match {
  method?: string | RegExp | undefined;
  /** The path without its query. */
  path?: string | RegExp | undefined;
  /** Whether it is a watch. */
  watch?: boolean | undefined;
  /** Whether it is POST, PUT, PATCH or DELETE. */
  write?: boolean | undefined;
  /** The certificate's common name or the token's subject (`system:serviceaccount:careen:reboot-lock`). */
  user?: string | RegExp | undefined;
  userAgent?: string | RegExp | undefined;
}

export type Fault =
  /** The connection breaks; the API server never gets the request. */
  | { kind: 'drop-before' }
  /** The API server does what it was asked; the reply is lost. */
  | { kind: 'drop-after' }
  /** Answered by the proxy in the API server's place. */
  | { kind: 'status'; status: number; reason?: string; retryAfterSeconds?: number }
  /** No answer, until the client gives up or `forMs` have passed; then the connection breaks. */
  | { kind: 'hang'; forMs?: number }
  /** Forwarded after a while. */
  | { kind: 'delay'; delayMs: number }
  /** A watch ends in the middle of an event, after some whole ones. */
  | { kind: 'truncate-watch'; afterEvents?: number }
  /** A watch sends each event twice, and old ones again. */
  | { kind: 'duplicate-events' }
  /** A watch sends an event that is not JSON in place of a real one. */
  | { kind: 'garble-watch'; afterEvents?: number }
  /** A watch sends an ERROR event with code 410 and ends. */
  | { kind: 'expire-watch'; afterEvents?: number }
  /** A watch stays open but sends nothing any more. */
  | { kind: 'freeze-watch'; afterEvents?: number };

export type FaultKind = Fault['kind'];

export type Rule = Fault & {
  match?: Match | undefined;
  /** How often it strikes; without end by default. */
  times?: number | undefined;
  /** How likely it strikes a request that fits, 0 to 1; always by default. */
  probability?: number | undefined;
};

/** What the proxy knows of a request. */
export interface Seen {
  method: string;
  path: string;
  watch: boolean;
  user: string;
  userAgent: string;
}

/** Faults that act on what a watch sends, not on its request. */
const ON_EVENTS: ReadonlySet<FaultKind> = new Set([
  'truncate-watch',
  'duplicate-events',
  'garble-watch',
  'expire-watch',
  'freeze-watch',
]);

export function fits(match: Match, seen: Seen): boolean {
  return (
    fitsText(match.method, seen.method) &&
    fitsText(match.path, seen.path) &&
    fitsText(match.user, seen.user) &&
    fitsText(match.userAgent, seen.userAgent) &&
    (match.watch ?? seen.watch) === seen.watch &&
    (match.write ?? isWrite(seen)) === isWrite(seen)
  );
}

function fitsText(wanted: string | RegExp | undefined, text: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === text : wanted.test(text);
}

export function isWrite({ method }: Seen): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

/** Whether the rule can strike this request at all. */
export function concerns(rule: Rule, seen: Seen): boolean {
  if (ON_EVENTS.has(rule.kind) && !seen.watch) return false;
  return fits(rule.match ?? {}, seen);
}
