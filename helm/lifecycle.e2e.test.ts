import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CORDON_ANNOTATION } from '#api/group.ts';
import type { Node, Pod } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Lease } from '#runtime/leader/lease.ts';
import { buildBundles } from '#scripts/build.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { createFleet, type Fleet } from '#test/machine/fleet.ts';
import { AGENT_NAMESPACE, NAMESPACE, Release } from './testing/release.ts';

/** Pods of the operators are not on the network here: machines share that of this computer. */
const VALUES = { check: { dial: false, timeout: '4m' } };
/** Of the chart: a lead that is handed over is taken before a lease that nobody let go of would have ended. */
const LEASE_MS = 15_000;
const PATIENCE_MS = 240_000;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/careen-reboot-lock`;
const OPERATORS = { labelSelector: 'app.kubernetes.io/name in (careen-update,careen-reboot-lock)' };

let cluster: Cluster;
let fleet: Fleet;
let client: KubeClient;
let release: Release;

before(async () => {
  await buildBundles();
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 1000 });
  release = new Release(cluster);
  fleet = await createFleet({ cluster, count: 2 });
  fleet.powerOn();
  await fleet.ready();
});

after(async () => {
  await client?.close();
  await fleet?.delete();
  await cluster?.stop();
});

async function operators(): Promise<Pod[]> {
  return (await client.list<Pod>(PODS, OPERATORS)).items;
}

async function names(path: string): Promise<string[]> {
  return (await client.list<Node>(path)).items.map(({ metadata }) => metadata.name);
}

async function cordon(name: string, by?: string): Promise<void> {
  const annotations = by === undefined ? {} : { [CORDON_ANNOTATION]: by };
  await client.mergePatch(`/api/v1/nodes/${name}`, {
    metadata: { annotations },
    spec: { unschedulable: true },
  });
}

async function isGone(path: string): Promise<boolean> {
  const answer = await client.get(path).catch((error: unknown) => error);
  return isKubeError(answer, 'NotFound');
}

async function tested(): Promise<void> {
  assert.match(await release.test(), /Phase: +Succeeded/);
}

suite('the life of a release on machines', () => {
  test('installed, it passes helm test, and the test leaves nothing behind', async () => {
    await release.install({ values: VALUES });
    await tested();
    assert.ok(!(await names(PODS)).includes('careen-check'));
    const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${AGENT_NAMESPACE}/roles`;
    assert.deepEqual(await names(roles), []);
  });

  test('an operator that is scaled to nothing fails helm test', async () => {
    const values = { ...VALUES, update: { replicas: 0 }, check: { dial: false, timeout: '1s' } };
    await release.upgrade({ values });
    await assert.rejects(release.test(), /careen-check/);
    await client.delete(`${PODS}/careen-check`, { gracePeriodSeconds: 0 });
    await release.rollback();
    await tested();
  });

  test('an upgrade hands the lead over within seconds, and at most twice', async (t) => {
    const old = new Set((await operators()).map(({ metadata }) => metadata.name));
    const began = Date.now();
    const leaders = new Set<string>();
    let longest = 0;
    const upgrade = release.upgrade({ values: { ...VALUES, logLevel: 'debug' } });
    await until(
      'new replicas lead and the old ones are gone',
      async () => {
        const { spec } = await client.get<Lease>(LEASE);
        const renewed = Date.parse(spec?.renewTime ?? '');
        if (renewed >= began) longest = Math.max(longest, Date.now() - renewed);
        const pods = await operators();
        const [holder = ''] = (spec?.holderIdentity ?? '').split('_');
        if (holder !== '') leaders.add(holder);
        const isNew = holder !== '' && !old.has(holder);
        return isNew && pods.length === 4 && !pods.some(({ metadata }) => old.has(metadata.name));
      },
      { timeoutMs: PATIENCE_MS },
    );
    await upgrade;
    t.diagnostic(`the lead changed ${leaders.size - 1} times; longest time without a renewal: ${longest} ms`);
    assert.ok(leaders.size <= 3, [...leaders].join(', '));
    assert.ok(longest < LEASE_MS, `nobody led for ${longest} ms`);
    await tested();
  });

  test('a rollback brings the revision before back', async () => {
    await release.rollback();
    await tested();
    assert.ok(!JSON.stringify(await operators()).includes('--log-level=debug'));
  });

  test('an uninstall lifts the cordon that is ours, leaves others alone, and nothing cordons afterwards', async () => {
    await cordon('node1', 'careen-reboot-lock-x@2026-11-21T06:00:00Z');
    await cordon('node2');
    await release.uninstall();
    const [one, two] = (await client.list<Node>('/api/v1/nodes')).items;
    assert.deepEqual([one?.spec?.unschedulable, two?.spec?.unschedulable], [undefined, true]);
    assert.ok(!JSON.stringify(one).includes('careen.dev/'));
    await until('nothing of the release runs', async () => (await names(PODS)).length === 0, {
      timeoutMs: PATIENCE_MS,
    });
    const left = await Promise.all([
      names(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`),
      names(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles`),
      names(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`),
    ]);
    assert.deepEqual(left.flat(), []);
    for (const path of [LEASE, `/api/v1/namespaces/${AGENT_NAMESPACE}`])
      await until(`${path} is gone`, () => isGone(path), { timeoutMs: PATIENCE_MS });
  });
});
