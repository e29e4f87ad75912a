import type { AppStatus, UpdateCheckStatus } from './statuses.ts';

/** What a server says; `writeResponse` gives its bytes. */
export interface OmahaResponse {
  apps: readonly AppAnswer[];
}

export interface AppAnswer {
  /** As the request wrote it; undefined or empty: the attribute is left out. */
  appID: string | undefined;
  status: AppStatus;
  /** Whether the app pinged: that is always acknowledged. */
  ping: boolean;
  updateCheck?: UpdateCheckAnswer | undefined;
  /** How many events were sent: each is acknowledged, whether or not it told something new. */
  events: number;
}

export interface UpdateCheckAnswer {
  status: UpdateCheckStatus;
  /** How soon to ask again, in seconds; clients hold it within 45 min and 4 h. */
  pollSeconds?: number | undefined;
  /** URLs of folders that all packages are in, the first is tried first. */
  codebases: readonly string[];
  /** One but for servers that mirror others, which are given every step of the way, the lowest first. */
  manifests: readonly Manifest[];
}

export interface Manifest {
  version: string;
  /** Set only where several manifests are given. */
  isFloor?: boolean;
  floorReason?: string | undefined;
  isTarget?: boolean;
  /** The first is the payload; update_engine reads no other. */
  packages: readonly Package[];
  /** base64 SHA-256 of the payload. */
  sha256: string;
  disablePayloadBackoff: boolean;
}

export interface Package {
  name: string;
  /** base64. */
  sha1: string | undefined;
  /** Hex: Flatcar's own form of this attribute. Left out where `sha1` and the action say all there is to say. */
  sha256: string | undefined;
  /** Bytes. */
  size: number;
  required: boolean;
}
