import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '#api/meta.ts';
import { AGENT_NAMESPACE, NAMESPACE, Release } from '../../helm/testing/release.ts';
import { ProvingGround } from './proving-ground.fixture.ts';

/** The operators live on the nodes that they reboot. */
let ground: ProvingGround;
let release: Release;

const VALUES = { rebootLock: { nodeConditions: true } };

before(async () => {
  ground = await ProvingGround.start({ values: VALUES });
  release = new Release(ground.stack.cluster);
});
after(() => ground?.stop());

async function pods(): Promise<Pod[]> {
  const lists = await Promise.all(
    [NAMESPACE, AGENT_NAMESPACE].map((namespace) =>
      ground.stack.client.list<Pod>(`/api/v1/namespaces/${namespace}/pods`),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

function namesOf(some: readonly Pod[]): Set<string> {
  return new Set(some.map(({ metadata }) => metadata.name));
}

test('a chart that is upgraded in the middle of a rollout replaces every pod, and no node reboots twice', async () => {
  ground.begin();
  await ground.stack.publishAndDeclare('2.0.0');
  await ground.phase('2.0.0', ['Rebooting', 'Verifying']);
  const old = namesOf(await pods());
  await release.upgrade({ values: { ...VALUES, logLevel: 'debug' } });
  await ground.until('every pod is a new one', async () => {
    const now = await pods();
    return now.length === 7 && now.every(({ metadata }) => !old.has(metadata.name));
  });
  await ground.rest('2.0.0');
  ground.judge();
  assert.match(JSON.stringify(await pods()), /--log-level=debug/);
});
