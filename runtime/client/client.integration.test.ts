import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from '#test/cluster/faults/proxy.ts';
import { KubeClient } from './client.ts';
import { isKubeError, type KubeErrorCode } from './error.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const MAPS = '/api/v1/namespaces/default/configmaps';

async function code(call: Promise<unknown>): Promise<KubeErrorCode | 'no error'> {
  try {
    await call;
    return 'no error';
  } catch (error) {
    if (isKubeError(error)) return error.code;
    throw error;
  }
}

/** How many TCP and TLS connections this process has open. */
function sockets(): number {
  const kinds = new Set(['TCPSocketWrap', 'TLSWrap']);
  return process.getActiveResourcesInfo().filter((name) => kinds.has(name)).length;
}

describe('the client on a real API server', () => {
  let cluster: Cluster;
  let proxy: FaultProxy;
  let client: KubeClient;
  let number = 0;

  before(async () => {
    cluster = await startCluster();
    proxy = await startFaultProxy(cluster);
    const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
    client = KubeClient.load({ kubeconfig, userAgent: 'client-test', qps: 10_000 });
  });
  afterEach(() => proxy.clear());
  after(async () => {
    await client?.close();
    await proxy?.close();
    await cluster?.stop();
  });

  function create(data: Record<string, string> = {}): Promise<ConfigMap> {
    number += 1;
    return client.create<ConfigMap>(MAPS, { metadata: { name: `map-${number}` }, data });
  }

  it('creates, reads, patches in three ways, replaces and deletes', async () => {
    const { metadata } = await create({ a: '1' });
    const url = `${MAPS}/${metadata.name}`;
    await client.mergePatch(url, { data: { b: '2' } });
    await client.jsonPatch(url, [{ op: 'remove', path: '/data/a' }]);
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', data: { c: '3' } };
    await client.apply(url, applied, { fieldManager: 'client-test' });
    const read = await client.get<ConfigMap>(url);
    assert.deepEqual(read.data, { b: '2', c: '3' });
    await client.replace(url, { ...read, data: {} });
    await client.delete(url, { uid: metadata.uid });
    assert.equal(await code(client.get(url)), 'NotFound');
  });

  it('names what went wrong', async () => {
    const map = await create();
    const url = `${MAPS}/${map.metadata.name}`;
    assert.equal(await code(client.create(MAPS, { metadata: { name: map.metadata.name } })), 'AlreadyExists');
    assert.equal(await code(client.create(MAPS, { metadata: { name: 'Not A Name' } })), 'Invalid');
    await client.mergePatch(url, { data: { x: '1' } });
    assert.equal(await code(client.replace(url, map)), 'Conflict');
    const nobody = await cluster.writeKubeconfig({
      name: 'nobody',
      ...(await cluster.issueClientCert({ user: 'nobody' })),
    });
    const other = KubeClient.load({ kubeconfig: nobody, userAgent: 'nobody' });
    assert.equal(await code(other.get(url)), 'Forbidden');
    await other.close();
  });

  it('deletes only the object that was meant: the body of a DELETE is read', async () => {
    const { metadata } = await create();
    const url = `${MAPS}/${metadata.name}`;
    const direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'client-test' });
    for (const each of [client, direct]) {
      assert.equal(await code(each.delete(url, { uid: 'another' })), 'Conflict');
      assert.equal(await code(each.delete(url, { resourceVersion: '1' })), 'Conflict');
    }
    await direct.close();
    assert.equal(
      await code(client.delete(url, { uid: metadata.uid, propagationPolicy: 'Background' })),
      'no error',
    );
  });

  it('never creates by an apply that carries a uid', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ghost', uid: 'gone' } };
    assert.equal(await code(client.apply(`${MAPS}/ghost`, body, { fieldManager: 'x' })), 'Conflict');
  });

  it('reads long lists page by page, with the kind on every object, and as a table', async () => {
    const names = Array.from({ length: 1100 }, (_, i) => `page-${i}`);
    const labels = { paged: 'yes' };
    // Past the proxy, which knows no HTTP/2: 1100 requests at once share one connection here.
    const direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'client-test', qps: 10_000 });
    const made = { timeoutMs: 300_000 }; // the last one waits for all the others
    await Promise.all(
      names.map((name) => direct.create(MAPS, { metadata: { name, labels } }, undefined, made)),
    );
    await direct.close();
    const before = proxy.count({ method: 'GET', path: MAPS });
    const query = { labelSelector: 'paged=yes' };
    const { items, resourceVersion } = await client.list<ConfigMap>(MAPS, query);
    assert.equal(new Set(items.map(({ metadata }) => metadata.uid)).size, 1100);
    assert.equal(items[0]?.kind, 'ConfigMap');
    assert.ok(Number(resourceVersion) > 0);
    assert.equal(proxy.count({ method: 'GET', path: MAPS }) - before, 3);
    const table = await client.table(MAPS, query);
    assert.deepEqual(table.columns, ['Name', 'Data', 'Age']);
    assert.equal(table.rows.length, 1100);
  });

  it('uses one connection for many requests at once', async () => {
    const direct = KubeClient.load({
      kubeconfig: cluster.kubeconfig,
      userAgent: 'one-connection',
      qps: 10_000,
    });
    await direct.get('/version');
    const before = sockets();
    await Promise.all(Array.from({ length: 100 }, () => direct.get('/api/v1/nodes')));
    assert.ok(sockets() <= before, 'others may have ended meanwhile');
    await direct.close();
  });

  it('repeats a read through dropped connections, 429, 500 and 503', async () => {
    for (const status of [429, 500, 503]) proxy.fault({ kind: 'status', status, times: 1 });
    proxy.fault({ kind: 'drop-before', times: 1 });
    await client.get('/api/v1/namespaces');
  });

  it('waits as long as a 429 asks', async () => {
    proxy.fault({ kind: 'status', status: 429, retryAfterSeconds: 1, match: { write: true }, times: 1 });
    const started = performance.now();
    await create();
    assert.ok(performance.now() - started >= 1000);
  });

  it('gives the 429 back when the wait would be longer than the call may take', async () => {
    proxy.fault({ kind: 'status', status: 429, retryAfterSeconds: 60, times: 1 });
    assert.equal(await code(client.get('/version', undefined, { timeoutMs: 20_000 })), 'TooManyRequests');
  });

  it('does not repeat a write whose reply was lost, and says that it does not know', async () => {
    const map = await create();
    const url = `${MAPS}/${map.metadata.name}`;
    proxy.fault({ kind: 'drop-after', match: { method: 'PATCH' }, times: 1 });
    const writes = proxy.count({ method: 'PATCH' });
    assert.equal(await code(client.mergePatch(url, { data: { once: 'yes' } })), 'Unreachable');
    assert.equal(proxy.count({ method: 'PATCH' }) - writes, 1);
    assert.deepEqual((await client.get<ConfigMap>(url)).data, { once: 'yes' });
  });

  it('gives 403 and 409 and 410 back at once', async () => {
    for (const [status, wanted] of [
      [403, 'Forbidden'],
      [409, 'Conflict'],
      [410, 'Gone'],
    ] as const) {
      const fault = proxy.fault({ kind: 'status', status });
      assert.equal(await code(client.get('/api/v1/namespaces')), wanted);
      assert.equal(fault.hits, 1);
      fault.remove();
    }
  });

  it('gives up a request that hangs, and the next one takes another connection', async () => {
    const fault = proxy.fault({ kind: 'hang' });
    const started = performance.now();
    assert.equal(await code(client.get('/version', undefined, { timeoutMs: 300 })), 'Timeout');
    assert.ok(
      performance.now() - started < 25_000,
      'the limit was the one that was given, not the usual 30 s',
    );
    fault.remove(); // on a slow machine the request may not even have come so far
    await client.get('/version');
  });

  it('ends with the reason of the caller who gave up', async () => {
    proxy.fault({ kind: 'hang' });
    const caller = new AbortController();
    const call = client.get('/version', undefined, { signal: caller.signal });
    setTimeout(() => caller.abort(new Error('not needed any more')), 50);
    await assert.rejects(call, /not needed any more/);
  });

  it('reads its token again after a 401, once', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await client.create(accounts, { metadata: { name: 'rotating' } });
    const issued = await client.create<{ status: { token: string } }>(`${accounts}/rotating/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 600 },
    });
    const tokenFile = path.join(cluster.directory, 'rotating.token');
    await writeFile(tokenFile, 'an-old-token');
    const kubeconfig = await cluster.writeKubeconfig({ name: 'rotating', tokenFile });
    const rotating = KubeClient.load({ kubeconfig, userAgent: 'rotating' });
    assert.equal(await code(rotating.get('/version')), 'Unauthorized');
    await writeFile(tokenFile, issued.status.token);
    assert.equal(await code(rotating.get('/apis')), 'no error');
    await rotating.close();
  });

  it('does not send a write that its fence refuses', async () => {
    const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
    const fenced = KubeClient.load({ kubeconfig, userAgent: 'fenced' });
    fenced.fenceWrites(() => {
      throw new Error('not leading');
    });
    await fenced.get('/version');
    await assert.rejects(fenced.create(MAPS, { metadata: { name: 'fenced' } }), /not leading/);
    assert.equal(proxy.count({ userAgent: 'fenced', write: true }), 0);
    await fenced.close();
  });

  it('keeps tokens and bodies out of its errors', async () => {
    proxy.fault({ kind: 'drop-before' });
    const secret = { metadata: { name: 's' }, stringData: { password: 'hunter2' } };
    const failed = client.create('/api/v1/namespaces/default/secrets', secret);
    await assert.rejects(
      failed,
      (error: Error) => !/hunter2|Bearer/.test(error.message + String(error.cause)),
    );
  });

  it('keeps the pace that it was given', async () => {
    const slow = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'slow', qps: 10 });
    const started = performance.now();
    await Promise.all(Array.from({ length: 30 }, () => slow.get('/version')));
    assert.ok(performance.now() - started >= 900);
    await slow.close();
  });
});
