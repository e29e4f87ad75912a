import type { Dispatcher } from 'undici';
import { accessSync, constants } from 'node:fs';
import { kubeconfigCredentials, type Plugins } from './kubeconfig.ts';
import { podCredentials } from './pod-credentials.ts';

/** What makes a TLS connection one's own; connections are pooled by it. */
export interface TlsIdentity {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  servername?: string | undefined;
  rejectUnauthorized?: boolean | undefined;
}

/** Where the API server is and who we are, at this moment. */
export interface Credentials {
  /** Without a trailing slash; may carry a path, as behind Rancher. */
  server: string;
  tls: TlsIdentity;
  headers: Record<string, string>;
  /** Makes the pool when the server is reached in a special way, as through a proxy. */
  dispatcher?: (() => Dispatcher) | undefined;
}

/** Reads the credentials anew, from where they are kept. */
export type ReadCredentials = () => Promise<Credentials>;

/** Of a kubeconfig, or of the pod's service account. Throws at once when there is neither. */
export function credentialsFrom(kubeconfig: string | undefined, plugins?: Plugins): ReadCredentials {
  if (kubeconfig === undefined) return podCredentials();
  accessSync(kubeconfig, constants.R_OK);
  return () => kubeconfigCredentials(kubeconfig, plugins);
}
