import type { Dispatcher } from 'undici';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Credentials, TlsIdentity } from './credentials.ts';

type Cluster = ReturnType<KubeConfig['getCurrentCluster']>;
type CreateDispatcher = (cluster: Cluster, tls: TlsIdentity) => Dispatcher | undefined;

/** What client-node's KubeConfig makes of a kubeconfig: exec plugins, auth providers, proxies, impersonation. */
export async function pluginCredentials(file: string): Promise<Credentials> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const headers: Record<string, string> = {};
  const tls: TlsIdentity = {};
  const patched = config as unknown as { createDispatcher: CreateDispatcher };
  const create = patched.createDispatcher.bind(config);
  // It would build an undici Agent, and so a TLS handshake, for every request: here it only says with what.
  patched.createDispatcher = (_cluster, identity) => {
    Object.assign(tls, texts(identity));
    return undefined;
  };
  const context = { setHeaderParam: (name: string, value: string) => (headers[name] = value) };
  await config.applySecurityAuthentication(context as never);
  const cluster = config.getCurrentCluster();
  const server = (cluster?.server ?? '').replace(/\/+$/, '');
  return { server, tls, headers, dispatcher: cluster?.proxyUrl ? special(create, cluster, tls) : undefined };
}

function special(create: CreateDispatcher, cluster: Cluster, tls: TlsIdentity): () => Dispatcher {
  return () => {
    const dispatcher = create(cluster, tls);
    if (!dispatcher) throw new Error(`no way to reach ${cluster?.server} through its proxy-url`);
    return dispatcher;
  };
}

/** Buffers as text: an identity is compared by value. */
function texts(tls: TlsIdentity): TlsIdentity {
  const entries = Object.entries(tls).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString() : value,
  ]);
  return Object.fromEntries(entries) as TlsIdentity;
}
