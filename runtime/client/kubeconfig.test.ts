import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { credentialsFrom } from './credentials.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import { pluginCredentials } from './plugin-credentials.ts';
import { podCredentials } from './pod-credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('credentials', () => {
  let directory: string;
  before(async () => (directory = await mkdtemp(path.join(tmpdir(), 'careen-credentials-'))));
  after(() => rm(directory, { recursive: true }));

  async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
    const file = path.join(directory, 'config');
    const config = {
      'current-context': 'b',
      contexts: [
        { name: 'a', context: { cluster: 'none', user: 'none' } },
        { name: 'b', context: { cluster: 'c', user: 'u' } },
      ],
      clusters: [{ name: 'c', cluster: { server: 'https://api:6443/', ...cluster } }],
      users: [{ name: 'u', user }],
    };
    await writeFile(file, stringify(config));
    return file;
  }

  it('are a token and an authority', async () => {
    const file = await kubeconfig({ token: 'T' }, { 'certificate-authority-data': base64('CA') });
    const { server, tls, headers } = await kubeconfigCredentials(file);
    assert.equal(server, 'https://api:6443');
    assert.equal(tls.ca, 'CA');
    assert.deepEqual(headers, { authorization: 'Bearer T' });
  });

  it('are a token in a file beside the kubeconfig, read anew each time', async () => {
    const file = await kubeconfig({ tokenFile: 'token' });
    for (const token of ['first', 'second']) {
      await writeFile(path.join(directory, 'token'), `${token}\n`);
      assert.deepEqual((await kubeconfigCredentials(file)).headers, { authorization: `Bearer ${token}` });
    }
  });

  it('are a client certificate', async () => {
    const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const { tls, headers } = await kubeconfigCredentials(await kubeconfig(user));
    assert.deepEqual([tls.cert, tls.key, headers], ['CERT', 'KEY', {}]);
  });

  it('are refused by name where only client-node can read them, and then read by it', async () => {
    const token = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-exec' },
    });
    const file = await kubeconfig({ exec: { command: 'echo', args: [token] } });
    await assert.rejects(kubeconfigCredentials(file), /exec is not supported here/);
    const { server, headers } = await kubeconfigCredentials(file, pluginCredentials);
    assert.equal(server, 'https://api:6443');
    assert.deepEqual(headers, { Authorization: 'Bearer from-exec' });
  });

  it('are the service account in a pod', async () => {
    await writeFile(path.join(directory, 'ca.crt'), 'CA');
    await writeFile(path.join(directory, 'token'), 'T');
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const { server, headers } = await podCredentials(env, directory)();
    assert.deepEqual([server, headers], ['https://[fd00::1]:443', { authorization: 'Bearer T' }]);
  });

  it('are missing at once when there are none', () => {
    assert.throws(() => podCredentials({}), /--kubeconfig/);
    assert.throws(() => credentialsFrom('/nonexistent/config'), /ENOENT/);
  });
});
