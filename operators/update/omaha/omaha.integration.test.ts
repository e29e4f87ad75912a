import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { request as httpRequest } from 'undici';
import { type Kind, resourcePath } from '#api/group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { createLogger } from '#runtime/log/log.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guardedDirectory, type GuardedDirectory, type GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { ScriptedAgents } from '../testing/scripted-agents.ts';
import { app, CHECK, event, PING, previous, request } from './testing/sample-requests.ts';
import { LONG_LEASE, startOperator } from '#operators/testing/replicas.ts';
import { applyObject, startServing } from '#operators/testing/serving.ts';

/** The real operator on a real API server: three nodes and twelve machines in one group, under one budget. */

const KEY = `RW${'A'.repeat(54)}`;
const NODES = ['n0', 'n1', 'n2'];
const MACHINES = Array.from({ length: 12 }, (_, index) => `machine-${index}`);
const BUDGET = 4;
const DIGEST = 'EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=';

let cluster: Cluster;
let client: KubeClient;
let agents: ScriptedAgents;
let directory: GuardedDirectory;
let operator: GuardedProcess;
let url: string;
/** What each machine runs. */
const running = new Map(MACHINES.map((id) => [id, '1.0.0']));

before(async () => {
  ({ cluster, client } = await startServing('omaha-test'));
  agents = new ScriptedAgents(client, createLogger({ name: 'agents', level: 'error' }));
  agents.start();
  directory = await guardedDirectory('careen-omaha-e2e-');
  const port = await freePort();
  url = `http://127.0.0.1:${port}/v1/update/`;
  operator = await start(port);
  for (const name of NODES) await agents.join(name, {});
  await until('the nodes have their states', async () => {
    for (const name of NODES) await client.get(resourcePath('NodeState', name));
    return true;
  });
  for (const name of NODES) await agents.report(name, '1.0.0');
});

after(async () => {
  await operator?.stop();
  await agents?.stop();
  await client?.close();
  await directory?.remove();
  await cluster?.stop();
});

test('machines and nodes go to a release together, within one budget', async () => {
  await publish('1.0.0');
  await declare();
  await until('the endpoint knows the group', async () => {
    return /status="noupdate"/.test(await ask('machine-0', PING + CHECK + previous('')));
  });
  await Promise.all(MACHINES.map((id) => check(id)));
  await publish('1.0.0', '2.0.0');
  const granted = new Set<string>();
  await until(
    'all run 2.0.0',
    async () => {
      for (const id of MACHINES) if ((await check(id)) !== undefined) granted.add(id);
      assert.ok(granted.size <= BUDGET, `${granted.size} machines at once`);
      for (const id of granted) {
        await install(id, '2.0.0');
        granted.delete(id); // at once: its place is free for the next round, whatever becomes of this one
      }
      const { status } = await theGroup();
      return status?.machines?.upToDate === MACHINES.length && status.upToDate === NODES.length;
    },
    { timeoutMs: 400_000 },
  );
  const { status } = await eventually((group) => group.status?.history?.[0]?.result === 'Complete');
  assert.deepEqual(status?.machines?.versions, [{ version: '2.0.0', machines: MACHINES.length }]);
});

test('a machine that goes back from a release halts it for machines and nodes alike', async () => {
  await publish('2.0.0', '3.0.0');
  const first = await firstGranted('3.0.0');
  const [victim = ''] = first;
  for (const told of [event(13, 1), event(14, 1), event(3, 1)]) await ask(victim, told);
  assert.doesNotMatch(await ask(victim, PING + CHECK + event(3, 0, 268_435_500)), /<manifest/);
  const others = MACHINES.filter((id) => !first.includes(id));
  for (const id of others) assert.equal(await check(id), undefined, `${id} was given 3.0.0 after the halt`);
  const { status } = await eventually((group) => group.status?.rollout?.halted !== undefined);
  assert.deepEqual(status?.rollout?.halted?.nodes, [victim]);
  assert.equal(status?.machines?.rolledBack, 1);
  const isHalted = status?.conditions?.find(({ type }) => type === 'Halted')?.status;
  assert.equal(isHalted, 'True');
  for (const id of MACHINES) assert.equal(await check(id), undefined);
});

test('what was granted outlives the operator', async () => {
  await publish('2.0.0', '4.0.0');
  const [id = ''] = await firstGranted('4.0.0');
  await operator.stop();
  operator = await start(Number(new URL(url).port));
  await until('the endpoint answers again', async () => (await check(id)) === '4.0.0');
});

function start(port: number): Promise<GuardedProcess> {
  const place = [`--omaha-address=127.0.0.1:${port}`, `--omaha-file=${join(directory.path, 'machines.db')}`];
  const flags = [...LONG_LEASE, ...place, '--omaha-address-rate=0', '--omaha-machine-rate=0'];
  return startOperator(cluster, 'operators/update/main.ts', 'a', flags);
}

/** Machines that are given the version first; waits until there is one. */
async function firstGranted(version: string): Promise<string[]> {
  const granted: string[] = [];
  await until(`a machine is given ${version}`, async () => {
    for (const id of MACHINES) if ((await check(id)) === version) granted.push(id);
    return granted.length > 0;
  });
  return granted;
}

/** The version that a machine is given, if it is. */
async function check(id: string): Promise<string | undefined> {
  const text = await ask(id, PING + CHECK + previous(''));
  return /<manifest version="([^"]+)"/.exec(text)?.[1];
}

async function install(id: string, version: string): Promise<void> {
  const before = running.get(id) ?? '';
  for (const told of [event(13, 1), event(14, 1), event(3, 1), PING]) await ask(id, told);
  running.set(id, version);
  await ask(id, PING + CHECK + previous(before));
}

async function ask(id: string, inner: string): Promise<string> {
  const body = request(app(inner, { machineid: id, version: running.get(id) }));
  // Each on a connection of its own: the server may close an idle one just when it is used again.
  const response = await httpRequest(url, { method: 'POST', body, reset: true });
  assert.equal(response.statusCode, 200);
  return response.body.text();
}

function theGroup(): Promise<NodeGroup> {
  return client.get<NodeGroup>(resourcePath('NodeGroup', 'edge'));
}

async function eventually(holds: (group: NodeGroup) => boolean): Promise<NodeGroup> {
  await until('the group is as expected', async () => holds(await theGroup())).catch(
    async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify((await theGroup()).status)}`);
    },
  );
  return theGroup();
}

async function declare(): Promise<void> {
  const omaha = { appID: 'e96281a6-d1af-4bde-9a0a-97b76e56dc57', tracks: ['stable'] };
  const rollout = { maxStaging: BUDGET };
  await apply('NodeGroup', 'edge', { nodeSelector: {}, update: { channel: 'stable', rollout, omaha } });
}

async function publish(...versions: string[]): Promise<void> {
  const releases = versions.map((version) => ({
    version,
    payload: { manifest: `http://payloads/${version}/manifest.json` },
    builds: [
      {
        architecture: 'amd64',
        codebases: [`http://payloads/${version}/`],
        packages: [{ name: 'update.gz', size: 5, sha256: DIGEST }],
      },
    ],
  }));
  await apply('UpdateChannel', 'stable', { keys: [KEY], source: { releases } });
}

function apply(kind: Kind, name: string, spec: object): Promise<void> {
  return applyObject(client, kind, name, spec);
}
