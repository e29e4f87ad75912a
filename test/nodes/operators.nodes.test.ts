import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, test } from 'node:test';
import { CORDON_ANNOTATION, PLURALS } from '#api/group.ts';
import { isReady, type KubeObject, type Node, type Pod } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import { AGENT_NAMESPACE, NAMESPACE, Release } from '../../helm/testing/release.ts';
import { Boots } from './boots.fixture.ts';
import { LeadWatch } from './lead-watch.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** The operators live on the nodes that they reboot. */
let witness: Witness;
let release: Release;

interface Deployment extends KubeObject {
  spec: { template: { spec: { containers: [{ image: string; securityContext: object }] } } };
}
interface Run extends KubeObject {
  status?: {
    containerStatuses?: { state?: { running?: object; terminated?: { exitCode: number } } }[];
  };
}

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const VALUES = { rebootLock: { nodeConditions: true } };
const ONCE = { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 };
/** Two replicas of two operators, and an agent a node. */
const PODS = 7;
/** The chart's. */
const LEASE_MS = 15_000;
const GENEROUS = { timeoutMs: 360_000, everyMs: 200 };

before(async () => {
  witness = await Witness.start({ machines: 3, budget: 2, gate: '30m', values: VALUES });
  release = new Release(witness.stack.cluster);
});
after(() => witness?.stop());

async function podsIn(namespace: string): Promise<Pod[]> {
  return (await witness.stack.client.list<Pod>(`/api/v1/namespaces/${namespace}/pods`)).items;
}

async function leases(): Promise<KubeObject[]> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
  return (await witness.stack.client.list<KubeObject>(path)).items;
}

async function pods(): Promise<Pod[]> {
  return (await Promise.all([NAMESPACE, AGENT_NAMESPACE].map(podsIn))).flat();
}

test('a chart that is upgraded in the middle of a rollout replaces every pod, and no node reboots twice', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  const old = new Set((await pods()).map(({ metadata }) => metadata.name));
  await witness.stack.publishAndDeclare('2.0.0');
  await witness.when('Rebooting');
  const began = performance.now();
  const say = (what: string) => t.diagnostic(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
  await release.upgrade({ values: { ...VALUES, logLevel: 'debug' } });
  say('helm is done');
  const replaced = async () => {
    const now = await pods();
    return now.length === PODS && now.every(({ metadata }) => !old.has(metadata.name));
  };
  await until('every pod is a new one', replaced, GENEROUS);
  say('all pods are new');
  say(await witness.arrive('2.0.0'));
  assert.deepEqual(boots.since, ONCE);
  for (const { spec } of await pods()) assert.match(JSON.stringify(spec), /--log-level=debug/);
});

test('rolled back while all nodes rest, the release is what it was, and no node reboots', async () => {
  const boots = new Boots(witness.stack.fleet.machines);
  await release.rollback();
  await until('every pod is as it was', async () => wellOff(await pods()), GENEROUS);
  assert.deepEqual(boots.since, {});
});

test('helm test passes, asking every replica over the network of pods', async () => {
  assert.match(await release.test(), /Phase: +Succeeded/);
});

test('the node that the leader lives on goes last, and another replica leads within seconds', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  using lead = new LeadWatch(witness.stack.client, witness.sights);
  await until('a replica leads', () => lead.log.leads.at(-1)?.node !== undefined, GENEROUS);
  await witness.stack.publishAndDeclare('2.1.0');
  t.diagnostic(await witness.arrive('2.1.0'));
  assert.deepEqual(boots.since, ONCE);
  assert.deepEqual(lead.overtaken, [], 'waited while the node of the leader went');
  t.diagnostic(
    `the lead changed ${lead.log.handOvers} times; once nobody renewed it for ${lead.longestMs} ms`,
  );
  assert.ok(lead.log.handOvers > 0);
  assert.ok(lead.longestMs < LEASE_MS, 'a lease ran out instead of being handed over');
});

test('a pod that is told to end before its program listens ends at once', async () => {
  const { client } = witness.stack;
  const { spec } = await client.get<Deployment>(`${DEPLOYMENTS}/careen-update`);
  const [{ image, securityContext }] = spec.template.spec.containers;
  // A program that never listens stands for one that has just been started.
  const program = ['node', '--eval', 'setInterval(() => {}, 1000)'];
  const containers = [{ name: 'operator', image, securityContext, command: program }];
  const metadata = { name: 'deaf', namespace: NAMESPACE, finalizers: ['example.com/look-at-it'] };
  await client.create(`/api/v1/namespaces/${NAMESPACE}/pods`, {
    metadata,
    spec: { ...spec.template.spec, containers, restartPolicy: 'Never' },
  });
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/deaf`;
  const state = async () => (await client.get<Run>(path)).status?.containerStatuses?.[0]?.state;
  await until('it runs', async () => (await state())?.running !== undefined, GENEROUS);
  await client.delete(path);
  await until('it has ended', async () => (await state())?.terminated !== undefined, GENEROUS);
  const { exitCode } = (await state())?.terminated ?? {};
  await client.mergePatch(path, { metadata: { finalizers: null } });
  assert.equal(exitCode, 128 + constants.signals.SIGTERM, 'it was killed after its grace period');
});

test('uninstalled in the middle of a rollout it leaves nodes that serve, without a mark, and its kinds', async () => {
  await witness.stack.publishAndDeclare('2.2.0');
  await witness.when('Draining');
  await release.uninstall();
  await until('no pod of it is left', async () => (await pods()).length === 0, GENEROUS);
  await until('every node is Ready', async () => (await nodes()).every((node) => isReady(node)), GENEROUS);
  for (const { metadata, spec, status } of await nodes()) {
    assert.equal(spec?.unschedulable, undefined, `${metadata.name} is cordoned`);
    assert.equal(metadata.annotations?.[CORDON_ANNOTATION], undefined);
    assert.ok(!JSON.stringify([metadata.annotations, metadata.labels, spec?.taints]).includes('careen.dev'));
    const ours = status?.conditions?.filter(({ reason }) => reason?.startsWith('Careen'));
    assert.deepEqual(ours, [], `conditions of ${metadata.name}`);
  }
  await until('no Lease of it is left', async () => (await leases()).length === 0, GENEROUS);
  const kinds = await witness.stack.kubectl(['get', 'crd', '-o', 'name']);
  assert.equal(kinds.match(/careen\.dev/g)?.length, Object.keys(PLURALS).length, kinds);
});

/** All pods of the release are there and as it was installed. */
function wellOff(all: readonly Pod[]): boolean {
  return all.length === PODS && !JSON.stringify(all.map(({ spec }) => spec)).includes('--log-level=debug');
}

async function nodes(): Promise<Node[]> {
  return (await witness.stack.client.list<Node>('/api/v1/nodes')).items;
}
