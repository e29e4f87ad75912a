/**
 * An Omaha v3 request, as update_engine, go-omaha and ue-rs write it. Attributes that a client left out are
 * undefined; one that cannot be read, such as a number that is none, counts as left out.
 */
export interface OmahaRequest {
  protocol: string | undefined;
  /** Of the client program: `CoreOSUpdateEngine-0.1.0.0` is what servers that mirror others call themselves. */
  version: string | undefined;
  /** `scheduler`, or `ondemandupdate` when a person asked. */
  installSource: string | undefined;
  os: OmahaOs | undefined;
  /** In the order of the request; the answer has one for each. */
  apps: readonly OmahaApp[];
}

export interface OmahaOs {
  platform: string | undefined;
  version: string | undefined;
  sp: string | undefined;
  arch: string | undefined;
}

export interface OmahaApp {
  /** As written: the answer repeats it. */
  appID: string | undefined;
  version: string | undefined;
  track: string | undefined;
  board: string | undefined;
  bootID: string | undefined;
  machineID: string | undefined;
  machineAlias: string | undefined;
  oem: string | undefined;
  oemVersion: string | undefined;
  alephVersion: string | undefined;
  /** The client takes several manifests in one answer. */
  multiManifestOk: boolean;
  ping: boolean;
  updateCheck: boolean;
  events: readonly OmahaEvent[];
}

export interface OmahaEvent {
  type: number | undefined;
  result: number | undefined;
  errorCode: number | undefined;
  previousVersion: string | undefined;
  nextVersion: string | undefined;
}
