import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '#api/meta.ts';
import { until } from '#test/cluster/until.ts';
import { AGENT_NAMESPACE, NAMESPACE, Release } from '../../helm/testing/release.ts';
import { Boots } from './boots.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** The operators live on the nodes that they reboot. */
let witness: Witness;
let release: Release;

const VALUES = { rebootLock: { nodeConditions: true } };
const ONCE = { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 };
/** Two replicas of two operators, and an agent a node. */
const PODS = 7;
const GENEROUS = { timeoutMs: 240_000, everyMs: 200 };

before(async () => {
  witness = await Witness.start({ machines: 3, budget: 2, gate: '60s', values: VALUES });
  release = new Release(witness.stack.cluster);
});
after(() => witness?.stop());

async function podsIn(namespace: string): Promise<Pod[]> {
  return (await witness.stack.client.list<Pod>(`/api/v1/namespaces/${namespace}/pods`)).items;
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
