/** A release as an upstream server knows it. */
export interface UpstreamRelease {
  version: string;
  /** Where the files are; several are mirrors of each other, in order. */
  codebases: string[];
  /** The first is what update_engine installs. */
  packages: UpstreamPackage[];
  /** base64 SHA-256 of the first package. */
  sha256: string;
  /** Why no machine may step over it; nothing: it may. */
  floorReason?: string | undefined;
}

/** A file of it. */
export interface UpstreamPackage {
  name: string;
  size: number;
  /** base64 SHA-1. */
  hash: string;
  /** SHA-256 in hex; as go-omaha has it, in base64. */
  sha256?: string | undefined;
  required: boolean;
}

/** By track and board: `stable/amd64-usr`. Oldest first; the last is the track's target. */
export type Tracks = Readonly<Record<string, readonly UpstreamRelease[]>>;
