/** How a client proves who it is. */
export type Credential =
  | { cert: string; key: string }
  | { token: string }
  /** A file that holds the token and may be replaced while in use. */
  | { tokenFile: string };

/** A kubeconfig of one cluster and one user, as text. It is JSON, which is YAML. */
export function kubeconfig(server: { url: string; caPem: string }, credential: Credential): string {
  const cluster = { server: server.url, 'certificate-authority-data': base64(server.caPem) };
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'careen', cluster }],
      users: [{ name: 'user', user: user(credential) }],
      contexts: [{ name: 'careen', context: { cluster: 'careen', user: 'user' } }],
      'current-context': 'careen',
    },
    null,
    2,
  );
}

function user(credential: Credential): Record<string, string> {
  if ('token' in credential) return { token: credential.token };
  if ('tokenFile' in credential) return { tokenFile: credential.tokenFile };
  return {
    'client-certificate-data': base64(credential.cert),
    'client-key-data': base64(credential.key),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
