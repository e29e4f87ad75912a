import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import path from 'node:path';
import type { ReadCredentials } from './credentials.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The service account that the kubelet mounts into every pod; it replaces the token about once an hour. */
export function podCredentials(env = process.env, directory = SERVICE_ACCOUNT): ReadCredentials {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (!host) throw new Error('not in a pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig');
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return async () => {
    const [ca, token] = await Promise.all(
      ['ca.crt', 'token'].map((name) => readFile(path.join(directory, name), 'utf8')),
    );
    return { server, tls: { ca }, headers: { authorization: `Bearer ${token?.trim()}` } };
  };
}
