import { setTimeout as delay } from 'node:timers/promises';
import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import { Desires } from '#operators/node-config/desire/desires.ts';
import { ConfigReader } from '#operators/node-config/desire/read-config.ts';
import { Salt } from '#operators/node-config/deliver/salt.ts';
import { snapshot } from '#operators/node-config/plan/snapshot.ts';
import { planRollouts } from '#operators/node-config/rollout/plan.ts';
import { ConfigCluster } from '#operators/node-config/testing/config-cluster.ts';
import { until } from '#test/cluster/until.ts';

/*
 * What configurations cost: rendering and planning for 5 000 nodes and 50 NodeConfigs, in memory; and on a real control
 * plane, with the agents of 200 nodes scripted in this process, the time from apply to planned and to applied on all,
 * the writes for each changed node, and the writes while nothing changes. Run: npm run bench -- config
 */

const NODES = 5000;
const CONFIGS = 50;
const LIVE = 200;
const IDLE_MS = 30_000;

const salt = new Salt(Buffer.alloc(32, 7));
const sources = { secret: nothing, configMap: nothing, version: 1 };

function configs(change: string): NodeConfig[] {
  return Array.from({ length: CONFIGS }, (_, index) => {
    const files = Array.from({ length: 10 }, (_one, file) => ({
      path: `/etc/bench/${index}/${file}`,
      contents: `${file === 0 ? '${node.name}' : ''}${'x'.repeat(200)}${index === 0 ? change : ''}`,
    }));
    const spec = nodeConfigSpec.parse({ nodeSelector: {}, files });
    const metadata = { name: `config-${index}`, uid: `uid-${index}`, generation: change === '' ? 1 : 2 };
    return { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeConfig', metadata, spec };
  });
}

function nothing(): undefined {
  return undefined;
}

function fingerprint(bytes: Uint8Array | undefined): string {
  return salt.fingerprint(bytes);
}

async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${(performance.now() - started).toFixed(0)} ms`);
  return result;
}

async function inMemory(): Promise<void> {
  const nodes: Node[] = Array.from({ length: NODES }, (_, index) => ({
    metadata: { name: `n${index}`, uid: `uid-n${index}`, labels: {} },
  }));
  const desires = new Desires(sources, (uid) => salt.of(uid));
  const reader = new ConfigReader();
  const size = `${NODES} nodes × ${CONFIGS} NodeConfigs`;
  for (const [what, change] of [
    ['first', ''],
    ['again, nothing changed', ''],
    ['one config changed', 'y'],
  ] as const) {
    const all = configs(change);
    const readings = reader.read(all);
    const wanted = await timed(`render, fill and hash, ${size}, ${what}`, () =>
      desires.read(readings, nodes),
    );
    await timed(`plan, ${size}, ${what}`, () => {
      const input = {
        readings,
        wanted,
        nodes,
        stateOf: nothing,
        sourcesOf: nothing,
        secret: nothing,
        fingerprint,
      };
      return planRollouts({ ...snapshot(input), now: 0 });
    });
  }
}

function motd(text: string, more: object = {}) {
  const files = [
    { path: '/etc/motd', contents: text },
    { path: '/etc/name', contents: '${node.name}' },
  ];
  return { nodeSelector: {}, files, rollout: { approval: 'Required' }, ...more };
}

async function live(): Promise<void> {
  const it = await ConfigCluster.start();
  try {
    await it.replica('a');
    for (let from = 0; from < LIVE; from += 20)
      await Promise.all(Array.from({ length: 20 }, (_, index) => it.agents.join(`n${from + index}`)));
    await it.apply('NodeConfig', 'motd', motd('one', { rollout: {} }));
    await it.everyState('at the first config', ({ spec, status }) => {
      return spec.config?.hash !== undefined && status?.config?.applied === spec.config.hash;
    });
    const before = await it.writes();
    const versions = new Map(
      (await it.states()).map(({ metadata, spec }) => [metadata.name, spec.config?.hash]),
    );
    const started = performance.now();
    await it.apply('NodeConfig', 'motd', motd('two'));
    await it.everyState('planned', ({ metadata, spec, status }) => {
      const { hash } = spec.config ?? {};
      return hash !== versions.get(metadata.name) && status?.config?.hash === hash;
    });
    console.log(`${LIVE} nodes, apply to planned on all: ${seconds(started)} s`);
    const { status } = await it.config(
      'motd',
      'planned',
      (one) => one.status?.rollout?.planHash !== undefined,
    );
    const approved = { approval: 'Required', approvedPlan: status?.rollout?.planHash };
    const again = performance.now();
    await it.apply('NodeConfig', 'motd', motd('two', { rollout: approved }));
    await it.everyState('applied', (one) => one.status?.config?.applied === one.spec.config?.hash);
    console.log(`${LIVE} nodes, approval to applied on all: ${seconds(again)} s`);
    const after = await it.writes();
    const each = (key: string) => (((after.get(key) ?? 0) - (before.get(key) ?? 0)) / LIVE).toFixed(2);
    console.log(
      `writes of the operator for each changed node: NodeState ${each('nodestates')}, Secret ${each('secrets')}`,
    );
    await idle(it);
  } finally {
    await it.stop();
  }
}

async function idle(it: ConfigCluster): Promise<void> {
  let last = '';
  let since = performance.now();
  await until(
    'all is told',
    async () => {
      const now = JSON.stringify([...(await it.writes())]);
      if (now !== last) since = performance.now();
      last = now;
      return performance.now() - since > 15_000;
    },
    { timeoutMs: 300_000, everyMs: 1000 },
  );
  await delay(IDLE_MS);
  const isQuiet = JSON.stringify([...(await it.writes())]) === last;
  console.log(`writes within ${IDLE_MS / 1000} s while nothing changes: ${isQuiet ? 'none' : 'some'}`);
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

await inMemory();
await live();
