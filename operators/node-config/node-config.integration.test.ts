import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BUNDLE_NAMESPACE, type ConfigBundle } from '#api/config-document.ts';
import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState, RenderedConfig } from '#api/kinds.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import { leaksOf, plantedSecret } from '#test/leaks/leaks.ts';
import { ConfigCluster } from './testing/config-cluster.ts';

/** Two replicas of the real operator on a real API server; the agents of twenty nodes are scripted. */

const NODES = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);
const SECRET = plantedSecret('node-config');

let it: ConfigCluster;

before(async () => {
  it = await ConfigCluster.start();
  await Promise.all([it.replica('a'), it.replica('b')]);
  await Promise.all(NODES.map((name, index) => it.agents.join(name, { half: String(index % 2) })));
});

after(() => it?.stop());

test('a config reaches every node that it selects, each in a Secret of its own, and no other', async () => {
  await it.apply('NodeConfig', 'motd', motd('one'));
  const { status } = await it.complete('motd');
  assert.deepEqual([status?.total, status?.upToDate, status?.failed], [20, 20, 0]);
  const salts = new Set<string>();
  for (const state of await it.states()) {
    const bundle = await bundleOf(state);
    salts.add(bundle.salt);
    assert.equal(textOf(bundle, '/etc/motd'), 'one');
    assert.equal(textOf(bundle, '/etc/name'), state.metadata.name);
    assert.equal(state.spec.config?.generation, 1);
  }
  assert.equal(salts.size, 20, 'every node has a salt of its own');
});

test('nothing is written while nothing changes', async () => {
  await quiet();
  const before = await versions();
  await delay(4000); // The span that is observed, not a wait for something.
  assert.deepEqual(await versions(), before);
});

test('a change costs each node two writes of its spec with waves, and four in all', async (t) => {
  const generations = await generationsOf();
  const writes = await it.writes();
  await it.apply('NodeConfig', 'motd', motd('two', { rollout: { waves: [{ name: 'first', size: 2 }] } }));
  await until('the change is seen', async () => (await states())[0]?.spec.config?.generation === 2);
  await it.complete('motd');
  const each = [...(await generationsOf())].map(([name, now]) => now - (generations.get(name) ?? 0));
  assert.ok(Math.max(...each) <= 2, `writes of a node's spec: ${each.join(' ')}`);
  const total = ((await it.writes()).get('nodestates') ?? 0) - (writes.get('nodestates') ?? 0);
  t.diagnostic(`writes of specs a changed node: ${total / 20}, at most ${Math.max(...each)}`);
});

test('a wave that fails halts, the others keep what they have; a corrected spec goes on', async () => {
  it.agents.applied.length = 0;
  it.agents.fails = (_, bundle) => textOf(bundle, '/etc/motd') === 'broken';
  const waves = {
    rollout: {
      waves: [
        { name: 'first', size: 1 },
        { name: 'second', size: 5 },
      ],
    },
  };
  await it.apply('NodeConfig', 'motd', motd('broken', waves));
  const halted = await it.config('motd', 'halted', ({ status }) => status?.rollout?.halted !== undefined);
  const [failed, ...others] = halted.status?.rollout?.halted?.nodes ?? [];
  assert.ok(failed !== undefined && others.length === 0);
  await it.everyState('held', ({ metadata, spec }) => {
    const reason = metadata.name === failed ? 'ConfigFailed' : 'Halted';
    return spec.config?.hold?.reason === reason && spec.config.apply === false;
  });
  assert.deepEqual(it.agents.applied, []);
  await it.apply('NodeConfig', 'motd', motd('three', waves));
  await it.complete('motd');
  assert.equal(it.agents.applied.length, 20);
});

test('the old spec brings the old bytes back, at a higher generation, and its RenderedConfig was still there', async () => {
  const before = await it.states();
  await it.apply('NodeConfig', 'motd', motd('two'));
  await until('all went back', async () => {
    const all = await it.states();
    return all.every(({ spec, status }) => {
      return (
        status?.config?.applied === spec.config?.hash && spec.config?.hash !== before[0]?.spec.config?.hash
      );
    });
  });
  await it.complete('motd');
  for (const state of await it.states()) {
    const old = before.find(({ metadata }) => metadata.name === state.metadata.name);
    assert.equal(textOf(await bundleOf(state), '/etc/motd'), 'two');
    assert.ok((state.spec.config?.generation ?? 0) > (old?.spec.config?.generation ?? 0));
  }
});

test('two configs of equal priority name each other, and only the nodes of both keep what they have', async () => {
  const half = { nodeSelector: { matchLabels: { half: '0' } } };
  await it.apply('NodeConfig', 'other', { ...motd('other'), ...half });
  const both = await Promise.all(
    [
      ['motd', 'other'],
      ['other', 'motd'],
    ].map(async ([name = '', other]) => {
      const { status } = await it.config(name, 'in conflict', (one) => one.status?.conflicted === 10);
      const found = status?.conflicts?.find(({ what }) => what.includes('/etc/motd'));
      return found?.with === other && found?.nodes === 10 && found.example === 'n00';
    }),
  );
  assert.deepEqual(both, [true, true]);
  // The configs are told of it before the nodes are.
  let held: NodeState[] = [];
  await until('the nodes say so', async () => {
    held = (await it.states()).filter(({ spec }) => spec.config?.hold?.reason === 'Conflicted');
    return held.length === 10;
  });
  assert.ok(held.every(({ spec }) => /motd and other/.test(spec.config?.hold?.message ?? '')));
  await it.client.delete(resourcePath('NodeConfig', 'other'));
  await it.everyState('free again', ({ spec }) => spec.config?.hold === undefined);
});

test('a config that asks for an approval only plans until the plan is approved', async () => {
  await it.complete('motd');
  it.agents.applied.length = 0;
  const required = { approval: 'Required' };
  await it.apply('NodeConfig', 'motd', motd('four', { rollout: required }));
  const planned = await it.config('motd', 'planned', ({ status }) => {
    return status?.planned === 20 && status.rollout?.planHash !== undefined;
  });
  assert.deepEqual(it.agents.applied, []);
  const { planHash } = planned.status?.rollout ?? {};
  await it.apply(
    'NodeConfig',
    'motd',
    motd('four', { rollout: { ...required, approvedPlan: '0'.repeat(64) } }),
  );
  await it.config('motd', 'still waiting', ({ status }) => status?.planned === 20);
  assert.deepEqual(it.agents.applied, []);
  await it.apply('NodeConfig', 'motd', motd('four', { rollout: { ...required, approvedPlan: planHash } }));
  await it.complete('motd');
  assert.equal(it.agents.applied.length, 20);
});

test('a secret reaches the nodes and nothing else, is rotated as one change, and is kept when it is deleted (A21)', async () => {
  await secret('v1');
  const tokenFile = {
    path: '/etc/token',
    mode: '0600',
    contentsFrom: { secret: { namespace: 'default', name: 's', key: 'k' } },
  };
  await it.apply('NodeConfig', 'token', { nodeSelector: { matchLabels: { half: '1' } }, files: [tokenFile] });
  await it.complete('token');
  const generations = await generationsOf();
  // One soon after the other: a rotation counts once it has stood still for five seconds.
  for (const version of ['v2', 'v3', 'v4']) await secret(version);
  await until('the last version is in force', async () => {
    const state = await it.client.get<NodeState>(resourcePath('NodeState', 'n01'));
    if (state.status?.config?.applied !== state.spec.config?.hash) return false;
    return textOf(await bundleOf(state), '/etc/token') === `${SECRET}-v4`;
  });
  await it.complete('token');
  for (const [name, now] of await generationsOf())
    assert.ok(now - (generations.get(name) ?? 0) <= 1, `${name} was written for each rotation`);
  await it.client.delete('/api/v1/namespaces/default/secrets/s');
  await until('the nodes say what is missing', async () => {
    const held = (await it.states()).filter(({ spec }) => spec.config?.hold?.reason === 'SecretMissing');
    return (
      held.length === 10 && held.every(({ spec }) => /default\/s/.test(spec.config?.hold?.message ?? ''))
    );
  });
  const state = await it.client.get<NodeState>(resourcePath('NodeState', 'n01'));
  assert.equal(textOf(await bundleOf(state), '/etc/token'), `${SECRET}-v4`);
  await secret('v4');
  await it.everyState('free again', ({ spec }) => spec.config?.hold === undefined);
});

test('a Secret of a node that was tampered with, or an account that was given more, is put right', async () => {
  const path = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets/n03`;
  await it.client.mergePatch(path, { data: { bundle: Buffer.from('x').toString('base64') } });
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${BUNDLE_NAMESPACE}/roles/n03`;
  await it.client.mergePatch(role, {
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }],
  });
  await until('both are as they were', async () => {
    const state = await it.client.get<NodeState>(resourcePath('NodeState', 'n03'));
    const { rules } = await it.client.get<{ rules: object[] }>(role);
    const wanted = [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['n03'], verbs: ['get'] }];
    assert.deepEqual(rules, wanted);
    return textOf(await bundleOf(state), '/etc/motd') === 'four';
  });
});

test('a RenderedConfig that a node has survives its deletion, and one that is torn out is made again', async () => {
  const { spec } = await it.client.get<NodeState>(resourcePath('NodeState', 'n00'));
  const path = resourcePath('RenderedConfig', spec.config?.rendered ?? '');
  const { metadata, spec: document } = await it.client.get<RenderedConfig>(path);
  await it.client.delete(path);
  const kept = await it.client.get<RenderedConfig>(path);
  assert.equal(kept.metadata.uid, metadata.uid);
  await it.client.mergePatch(path, { metadata: { finalizers: [] } });
  await until('it is made again', async () => {
    const made = await it.client.get<RenderedConfig>(path).catch((error: unknown) => {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    });
    if (made !== undefined) assert.deepEqual(made.spec, document);
    return made !== undefined && made.metadata.uid !== metadata.uid;
  });
});

test('when the leader is killed in mid-rollout, the other finishes without asking anything twice', async () => {
  await quiet();
  const generations = await generationsOf();
  it.agents.applied.length = 0;
  const first = new Set<string>();
  it.agents.mayApply = (name) => first.has(name) || (first.size < 6 && first.add(name).has(name));
  await it.apply('NodeConfig', 'motd', motd('five', { rollout: { waves: [{ name: 'first', size: 8 }] } }));
  await until('some have applied', () => it.agents.applied.length > 0);
  const leader = await it.killLeader();
  it.agents.mayApply = () => true;
  it.agents.wake();
  await it.replica(leader);
  await it.complete('motd');
  for (const [name, now] of await generationsOf())
    assert.ok(
      now - (generations.get(name) ?? 0) <= 2,
      `${name}: ${now - (generations.get(name) ?? 0)} writes`,
    );
});

test('without a config a node gives back what it had, and everything that was made for it is gone', async () => {
  for (const name of ['motd', 'token']) await it.client.delete(resourcePath('NodeConfig', name));
  await it.everyState('bare', ({ spec, status }) => {
    return spec.config?.hash === undefined && status?.config?.applied === undefined;
  });
  await until('nothing is left', async () => {
    const lists = await Promise.all(
      ['secrets', 'serviceaccounts'].map((kind) =>
        it.client.list<NodeState>(`/api/v1/namespaces/${BUNDLE_NAMESPACE}/${kind}`),
      ),
    );
    return !lists.flatMap(({ items }) => items).some(({ metadata }) => NODES.includes(metadata.name));
  });
  for (const { spec } of await it.states()) assert.ok((spec.config?.generation ?? 0) > 1);
});

test('no secret stands in any object but the Secrets, nor in events, logs, metrics and arguments (A22)', async () => {
  const paths = [
    ...(['NodeConfig', 'NodeState', 'RenderedConfig'] as const).map((kind) => resourcePath(kind)),
    '/apis/events.k8s.io/v1/events',
    '/api/v1/configmaps',
  ];
  const lists = await Promise.all(paths.map((path) => it.client.list<NodeConfig>(path)));
  const said = [...lists.map((list) => JSON.stringify(list)), ...it.logs].join('\n');
  assert.ok(said.length > 10_000);
  assert.deepEqual(leaksOf(SECRET, said), []);
  const { metrics, commandLines } = await it.outputs();
  assert.match(metrics, /^workqueue_/m);
  assert.deepEqual(leaksOf(SECRET, `${metrics}\n${commandLines}`), []);
});

function motd(text: string, more: object = {}) {
  const files = [
    { path: '/etc/motd', contents: text },
    { path: '/etc/name', contents: '${node.name}' },
  ];
  return { nodeSelector: {}, files, ...more };
}

function secret(version: string): Promise<unknown> {
  const data = { k: Buffer.from(`${SECRET}-${version}`).toString('base64') };
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data };
  return it.client.apply('/api/v1/namespaces/default/secrets/s', body, { fieldManager: 'test', force: true });
}

function bundleOf({ metadata, spec }: NodeState): Promise<ConfigBundle> {
  return it.agents.bundle(metadata.name, spec.config?.hash ?? '', spec.config?.generation ?? 0);
}

function textOf({ document }: ConfigBundle, path: string): string | undefined {
  const content = document.files.find((file) => file.path === path)?.content;
  if (content === undefined || 'secret' in content) return undefined;
  return 'text' in content ? content.text : Buffer.from(content.base64, 'base64').toString();
}

function states(): Promise<NodeState[]> {
  return it.states();
}

async function generationsOf(): Promise<Map<string, number>> {
  return new Map((await it.states()).map(({ metadata }) => [metadata.name, metadata.generation ?? 0]));
}

async function versions(): Promise<Record<string, string | undefined>> {
  const paths = [
    ...(['NodeState', 'NodeConfig', 'RenderedConfig'] as const).map((kind) => resourcePath(kind)),
    `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`,
    `/api/v1/namespaces/${BUNDLE_NAMESPACE}/serviceaccounts`,
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${BUNDLE_NAMESPACE}/roles`,
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${BUNDLE_NAMESPACE}/rolebindings`,
  ];
  const lists = await Promise.all(paths.map((path) => it.client.list<NodeState>(path)));
  const all = lists.flatMap(({ items }) => items);
  return Object.fromEntries(
    all.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion]),
  );
}

/** Waits until nothing has been written for longer than the slowest pace, 10 s, and a slow machine's delay. */
async function quiet(): Promise<void> {
  let last = '';
  let since = performance.now();
  const isQuiet = async (): Promise<boolean> => {
    const now = JSON.stringify(await versions());
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 15_000;
  };
  await until('all is quiet', isQuiet, { timeoutMs: 120_000, everyMs: 200 });
}
