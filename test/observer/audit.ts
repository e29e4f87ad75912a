import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What the API server's own audit log says of who asked for what. */

export interface AuditEvent {
  verb: string;
  stage: string;
  user: { username: string; extra?: Readonly<Record<string, readonly string[]>> };
  userAgent?: string;
  objectRef?: { resource?: string; subresource?: string; name?: string; namespace?: string };
  responseStatus?: { code?: number };
  stageTimestamp: string;
}

export interface Traffic {
  /** All requests, watches included. */
  requests: number;
  /** Writes that changed the state of an object: not events, leases, evictions or tokens. */
  writes: number;
  evictions: number;
  events: number;
  leases: number;
  /** Writes by resource, such as `nodestates/status`. */
  byResource: Record<string, number>;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Counts the log's finished requests between two instants (milliseconds), by user name. */
export async function readTraffic(path: string, from: number, to: number): Promise<Map<string, Traffic>> {
  const byUser = new Map<string, Traffic>();
  for await (const event of auditEvents(path)) {
    const at = Date.parse(event.stageTimestamp);
    if (at >= from && at <= to) count(trafficOf(byUser, event.user.username), event);
  }
  return byUser;
}

/** The log's finished requests. */
export async function* auditEvents(path: string): AsyncGenerator<AuditEvent> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const event = parse(line);
    if (event?.stage === 'ResponseComplete') yield event;
  }
}

/** Adds one figure up over several users. */
export function sumOf(traffic: readonly [string, Traffic][], figure: (one: Traffic) => number): number {
  return traffic.reduce((sum, [, one]) => sum + figure(one), 0);
}

/** The log's last line may still be on its way. */
function parse(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    return undefined;
  }
}

function trafficOf(byUser: Map<string, Traffic>, user: string): Traffic {
  const known = byUser.get(user);
  if (known !== undefined) return known;
  const fresh: Traffic = { requests: 0, writes: 0, evictions: 0, events: 0, leases: 0, byResource: {} };
  byUser.set(user, fresh);
  return fresh;
}

function count(traffic: Traffic, { verb, objectRef, responseStatus }: AuditEvent): void {
  traffic.requests += 1;
  if (!WRITES.has(verb) || (responseStatus?.code ?? 500) >= 300) return;
  const resource = [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/');
  if (resource === 'pods/eviction') traffic.evictions += 1;
  else if (resource === 'events') traffic.events += 1;
  else if (resource === 'leases') traffic.leases += 1;
  else if (objectRef?.subresource !== 'token' && !/review/.test(resource)) {
    traffic.writes += 1;
    traffic.byResource[resource] = (traffic.byResource[resource] ?? 0) + 1;
  }
}
