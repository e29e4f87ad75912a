import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Credentials } from './credentials.ts';

/** Makes credentials of a kubeconfig that asks for more than tokens and certificates; see `pluginCredentials`. */
export type Plugins = (kubeconfig: string) => Promise<Credentials>;

interface Cluster {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
}

interface User {
  token?: string;
  tokenFile?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: { name: string; cluster: Cluster }[];
  users?: { name: string; user: User | null }[];
}

/** What is read here; a user with anything else (exec, auth-provider, basic auth, `as`) needs client-node. */
const KNOWN = new Set([
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
]);

/**
 * The current context of a kubeconfig. Tokens and certificates are read here: client-node knows no
 * `tokenFile`, and its KubeConfig draws in its generated models, 15 MB that the agent does not have.
 */
export async function kubeconfigCredentials(file: string, plugins?: Plugins): Promise<Credentials> {
  const { cluster, user } = current(await parsed(file), file);
  const beyond = Object.keys(user).filter((key) => !KNOWN.has(key));
  if (cluster['proxy-url']) beyond.push('proxy-url');
  if (beyond.length > 0) {
    if (plugins) return plugins(file);
    throw new Error(
      `${file}: ${beyond.join(', ')} is not supported here; use a token or a client certificate`,
    );
  }
  const read = (data: string | undefined, name: string | undefined) => embeddedOrFile(data, name, file);
  const [ca, cert, key] = await Promise.all([
    read(cluster['certificate-authority-data'], cluster['certificate-authority']),
    read(user['client-certificate-data'], user['client-certificate']),
    read(user['client-key-data'], user['client-key']),
  ]);
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  return {
    server: (cluster.server ?? '').replace(/\/+$/, ''),
    tls: {
      ca,
      cert,
      key,
      servername: cluster['tls-server-name'],
      ...(insecure ? { rejectUnauthorized: false } : {}),
    },
    headers: bearer(user.token ?? (await embeddedOrFile(undefined, user.tokenFile, file))),
  };
}

async function parsed(file: string): Promise<Kubeconfig> {
  const text = await readFile(file, 'utf8');
  if (text.trimStart().startsWith('{')) return JSON.parse(text) as Kubeconfig;
  const { parse } = await import('yaml');
  return parse(text) as Kubeconfig;
}

function current(config: Kubeconfig, file: string): { cluster: Cluster; user: User } {
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === context?.user)?.user;
  if (!cluster?.server) throw new Error(`the current context of ${file} names no cluster with a server`);
  return { cluster, user: user ?? {} };
}

async function embeddedOrFile(
  data: string | undefined,
  name: string | undefined,
  kubeconfig: string,
): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return name ? readFile(path.resolve(path.dirname(kubeconfig), name), 'utf8') : undefined;
}

function bearer(token: string | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token.trim()}` } : {};
}
