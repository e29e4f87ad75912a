import { goOmahaXml } from './go-omaha.ts';
import { ueRsXml } from './ue-rs.ts';
import { updateEngineXml } from './update-engine.ts';

/** Whose bytes go over the wire. */
export const dialects = ['update_engine', 'go-omaha', 'ue-rs'] as const;
export type Dialect = (typeof dialects)[number];

/** What a machine says of itself with every request; empty strings are sent as such. */
export interface Identity {
  appID: string;
  /** Of the running system. */
  version: string;
  /** Channel or group. */
  track: string;
  /** 32 hex digits. */
  machineID: string;
  machineAlias: string;
  /** A UUID in braces; another one after each boot. */
  bootID: string;
  oem: string;
  oemVersion: string;
  /** Version that was installed first. */
  alephVersion: string;
  /** `amd64-usr` or `arm64-usr`. */
  board: string;
  /** As `uname -m` says it. */
  architecture: string;
}

/** One `<event>`. */
export interface OmahaEvent {
  /** 3: update complete, 13: download started, 14: download finished. */
  type: number;
  /** 0: error, 1: success, 2: success after a reboot, 9: deferred. */
  result: number;
  errorCode?: number | undefined;
  previousVersion?: string | undefined;
}

/** What a request is for. A check carries an event about the boot before it. */
export type Purpose =
  | { kind: 'check'; interactive: boolean; event: OmahaEvent }
  | { kind: 'event'; event: OmahaEvent }
  | { kind: 'ping' };

/** Ready to be posted. */
export interface WireRequest {
  body: string;
  /** Nothing where the client sends none. */
  contentType: string | undefined;
}

/** The bytes of a request as one of the clients in the field writes them. */
export function writeRequest(dialect: Dialect, identity: Identity, purpose: Purpose): WireRequest {
  switch (dialect) {
    case 'update_engine':
      return { body: updateEngineXml(identity, purpose), contentType: 'text/xml' };
    case 'go-omaha':
      return { body: goOmahaXml(identity, purpose), contentType: 'text/xml; charset=utf-8' };
    case 'ue-rs':
      return { body: ueRsXml(identity), contentType: undefined };
  }
}
