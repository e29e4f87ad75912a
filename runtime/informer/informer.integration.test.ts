import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from '#test/cluster/faults/proxy.ts';
import type { Rule } from '#test/cluster/faults/fault.ts';
import { until } from '#test/cluster/until.ts';
import { KubeClient } from '../client/client.ts';
import { createLogger } from '../log/log.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { watchObject } from './watch-object.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const MAPS = '/api/v1/namespaces/default/configmaps';
/** Shorter than in production, so that the tests are. */
const backoff = { baseMs: 25, maxMs: 500 };
/** Within this an informer syncs on the slowest machine. */
const SOON_MS = 180_000;
const log = createLogger({ name: 'test', level: 'error' });

describe('the informer on a real API server', () => {
  let cluster: Cluster;
  let proxy: FaultProxy;
  /** Through the proxy. */
  let client: KubeClient;
  /** Past the proxy. */
  let direct: KubeClient;
  const running: Informer<ConfigMap>[] = [];
  let number = 0;

  before(async () => {
    cluster = await startCluster();
    proxy = await startFaultProxy(cluster);
    client = KubeClient.load({
      kubeconfig: await proxy.kubeconfig(cluster.kubeconfig),
      userAgent: 'informer-test',
      qps: 10_000,
    });
    direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'direct', qps: 10_000 });
  });
  afterEach(async () => {
    proxy.clear();
    await Promise.all(running.splice(0).map((informer) => informer.stop()));
  });
  after(async () => {
    await Promise.all([client?.close(), direct?.close()]);
    await proxy?.close();
    await cluster?.stop();
  });

  interface Scene {
    informer: Informer<ConfigMap>;
    /** Every key that was told, in order. */
    changes: string[];
    put: (name: string, value: string) => Promise<void>;
    remove: (name: string) => Promise<void>;
    /** Waits until the cache is what the API server has. */
    same: () => Promise<void>;
  }

  /** An informer of objects with a label of their own, so that the scenes do not see each other. */
  async function scene(options: Partial<InformerOptions<ConfigMap>> = {}, synced = true): Promise<Scene> {
    number += 1;
    const labels = { scene: `s${number}` };
    const query = { labelSelector: `scene=s${number}` };
    const changes: string[] = [];
    const onChange = (key: string): void => void changes.push(key);
    const informer = new Informer<ConfigMap>({
      client,
      path: MAPS,
      query,
      onChange,
      log,
      backoff,
      ...options,
    });
    running.push(informer);
    informer.start();
    if (synced) await informer.synced(AbortSignal.timeout(SOON_MS));
    const url = (name: string): string => `${MAPS}/s${number}-${name}`;
    const put = async (name: string, value: string): Promise<void> => {
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${labels.scene}-${name}`, labels },
        data: { value },
      };
      await direct.apply(url(name), body, { fieldManager: 'test' });
    };
    const versions = (objects: readonly ConfigMap[]): string =>
      objects
        .map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`)
        .toSorted()
        .join();
    const same = (): Promise<void> =>
      until('the cache is the same as the server', async () => {
        const { items } = await direct.list<ConfigMap>(MAPS, query);
        return versions(items) === versions(informer.list());
      });
    return { informer, changes, put, remove: (name) => direct.delete(url(name)), same };
  }

  it('follows what appears, changes and vanishes, without managed fields', async () => {
    const { informer, changes, put, remove, same } = await scene();
    await put('a', '1');
    await put('a', '2');
    await same();
    const key = changes[0] ?? '';
    assert.equal(informer.get(key)?.data?.['value'], '2');
    assert.equal(informer.get(key)?.kind, 'ConfigMap');
    assert.ok(!('managedFields' in (informer.get(key)?.metadata ?? {})));
    await remove('a');
    await same();
    assert.equal(informer.get(key), undefined);
    assert.equal(changes.length, 3);
  });

  const faults: { name: string; rule: Rule }[] = [
    ...[401, 403, 409, 429, 500, 503, 410].map((status) => ({
      name: `watches answered with ${status}`,
      rule: { kind: 'status' as const, status, match: { watch: true }, times: 2 },
    })),
    ...[401, 403, 429, 500].map((status) => ({
      name: `every request answered with ${status} for a while`,
      rule: { kind: 'status' as const, status, times: 6 },
    })),
    { name: 'dropped connections', rule: { kind: 'drop-before', times: 3 } },
    {
      name: 'watches cut in the middle of an event',
      rule: { kind: 'truncate-watch', afterEvents: 1, times: 3 },
    },
    { name: 'events that are not JSON', rule: { kind: 'garble-watch', times: 3 } },
    { name: 'events sent twice and old ones again', rule: { kind: 'duplicate-events', times: 3 } },
    { name: 'watches that expire', rule: { kind: 'expire-watch', afterEvents: 1, times: 3 } },
    { name: 'late answers', rule: { kind: 'delay', delayMs: 300, times: 3 } },
  ];
  for (const { name, rule } of faults) {
    it(`survives ${name}`, async () => {
      const { put, remove, same } = await scene();
      await put('kept', '1');
      await put('gone', '1');
      await same();
      const fault = proxy.fault(rule);
      proxy.breakWatches();
      for (let i = 0; i < 4; i += 1) await put('kept', String(i));
      await until('the fault struck', () => fault.hits > 0);
      await put('new', '1');
      await remove('gone');
      await same();
      await put('after', '1');
      await same();
    });
  }

  it('never goes back in time when old events are sent again', async () => {
    const told: string[] = [];
    const onChange = (key: string, { data }: ConfigMap): void =>
      void told.push(`${key.split('-').at(-1)} ${data?.['value']}`);
    const { put, remove, same } = await scene({ onChange });
    proxy.fault({ kind: 'duplicate-events' });
    proxy.breakWatches();
    for (const value of ['1', '2', '3', '4']) await put('a', value);
    await put('gone', '1');
    await remove('gone');
    await put('a', '5');
    await same();
    assert.deepEqual(told, ['a 1', 'a 2', 'a 3', 'a 4', 'gone 1', 'gone 1', 'a 5']);
  });

  it('goes on from the version that it has after a broken watch, without listing again', async () => {
    const { put, same } = await scene();
    const lists = { path: MAPS, watch: false, method: 'GET' };
    const before = proxy.count(lists);
    for (let i = 0; i < 3; i += 1) {
      await until('the watch is open', () => proxy.openWatches() === 1);
      proxy.breakWatches();
      await put('a', String(i));
      await same();
    }
    assert.equal(proxy.count(lists), before);
  });

  it('syncs once the API server answers', async () => {
    const began = performance.now();
    proxy.fault({ kind: 'status', status: 503, match: { method: 'GET' }, times: 8 });
    const { informer } = await scene({}, false);
    assert.equal(informer.hasSynced, false);
    assert.equal(informer.ageMs(), Infinity);
    await informer.synced(AbortSignal.timeout(SOON_MS));
    assert.ok(informer.ageMs() < performance.now() - began);
  });

  it('grows old while the API server is silent, and young again when it speaks', async () => {
    const ages: number[] = [];
    const { informer, put, same } = await scene({ onChange: () => ages.push(informer.ageMs()) });
    await put('a', '1');
    await same();
    const fault = proxy.fault({ kind: 'hang' });
    proxy.breakWatches();
    await until('the cache is old', () => informer.ageMs() > 700);
    fault.remove();
    // The hung request holds the watch until its own limit; a broken connection ends it at once.
    proxy.breakWatches();
    await until('the watch is open', () => proxy.openWatches() === 1);
    const silent = informer.ageMs();
    assert.ok(silent > 700, 'a watch that was opened has said nothing yet');
    await put('a', '2');
    await same();
    assert.ok((ages.at(-1) ?? Infinity) < silent, 'it was young again when the change was told');
  });

  it('is not ended by a handler that throws', async () => {
    let calls = 0;
    const onChange = (): void => {
      calls += 1;
      throw new Error('a bug in a handler');
    };
    const quiet = createLogger({ name: 'test', level: 'error' });
    quiet.silent = true;
    const { put, same } = await scene({ onChange, log: quiet });
    await put('a', '1');
    await put('b', '1');
    await same();
    assert.ok(calls >= 2);
  });

  it('reports an object of the same name that is another one', async () => {
    const replaced: [string | undefined, string | undefined][] = [];
    const { informer, put, remove, same } = await scene({
      onReplaced: (_key, previous, current) => replaced.push([previous.metadata.uid, current.metadata.uid]),
    });
    await put('a', '1');
    await same();
    const first = informer.list()[0]?.metadata.uid;
    // While the watch is away, and its version expires, only a list tells.
    const away = proxy.fault({ kind: 'status', status: 410, match: { watch: true } });
    const blind = proxy.fault({ kind: 'status', status: 503, match: { watch: false } });
    proxy.breakWatches();
    await remove('a');
    await put('a', '2');
    blind.remove(); // a list between the two would have told that there is none
    await until('the new one is known', () => informer.list()[0]?.metadata.uid !== first);
    away.remove();
    await same();
    assert.deepEqual(replaced, [[first, informer.list()[0]?.metadata.uid]]);
  });

  it('lists again now and then, and mends what a watch left out', async () => {
    const { put, same } = await scene({ relistMs: 400 });
    proxy.fault({ kind: 'freeze-watch' });
    proxy.breakWatches();
    await put('a', '1');
    await same();
  });

  it('follows one object by name', async () => {
    const { informer, put } = await scene({ query: { fieldSelector: 'metadata.name=kube-root-ca.crt' } });
    await until('it is there', () => informer.list().length === 1);
    await put('other', '1');
    assert.equal(informer.list().length, 1);
  });

  it('leaves no watch behind when it is stopped, at whatever moment', async () => {
    for (const wait of [0, 1, 5, 20, 60]) {
      const { informer } = await scene({}, false);
      await new Promise((resolve) => setTimeout(resolve, wait));
      await informer.stop();
    }
    await until('no watch is open', () => proxy.openWatches() === 0);
  });

  it('survives a restart of the API server', async () => {
    const { put, same } = await scene();
    await put('a', '1');
    await cluster.restartApiServer();
    await put('b', '1');
    await same();
  });

  describe('watchObject', () => {
    it('tells of one object from beginning to end, through faults', async () => {
      const seen: (string | undefined)[] = [];
      const ending = new AbortController();
      const following = watchObject<ConfigMap>({
        client,
        path: MAPS,
        name: 'single',
        signal: ending.signal,
        onObject: (object) => void seen.push(object?.data?.['value']),
        log,
        backoff,
      });
      const put = (value: string): Promise<unknown> =>
        direct.apply(
          `${MAPS}/single`,
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'single' }, data: { value } },
          { fieldManager: 'test' },
        );
      const told = (value: string | undefined): Promise<void> =>
        until(`${value} is told`, () => seen.at(-1) === value);
      await until('its absence is told', () => seen.length === 1 && seen[0] === undefined);
      await put('1');
      await told('1');
      for (const rule of [
        { kind: 'drop-before', times: 2 },
        { kind: 'status', status: 401, times: 3 },
        { kind: 'truncate-watch', times: 1 },
        { kind: 'expire-watch', times: 1 },
      ] satisfies Rule[]) {
        proxy.fault(rule);
        proxy.breakWatches();
        await put(rule.kind);
        await told(rule.kind);
        proxy.clear();
      }
      await direct.delete(`${MAPS}/single`);
      await told(undefined);
      ending.abort();
      await following;
    });
  });
});
