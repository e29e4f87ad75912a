import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourcePath } from '#api/group.ts';
import type { HealthGate } from '#api/health.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Phase } from '#api/node-state.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster } from '#test/cluster/cluster.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { buildOsImage } from '#test/machine/os-image.ts';
import { PayloadServer } from '#test/machine/payload-server.ts';
import { generateKey } from './payload/minisign.ts';
import { publishPayload } from './payload/publish.ts';
import { Workbench } from './testing/workbench.ts';

const NAME = 'n1';
const PATH = resourcePath('NodeState', NAME);
const CRD = join(import.meta.dirname, '../crds/nodestates.careen.dev.yaml');

const recordFile = () => join(directory, 'host/var/lib/careen/agent.json');

let directory: string;
let cluster: Cluster;
let client: KubeClient;
let payloads: PayloadServer;
let bench: Workbench;
let nodeUID: string;
let marks = 0;
const keys = generateKey();
/** What the machine's own health endpoint answers. */
let health = 200;
const endpoint = createServer((_request, response) => response.writeHead(health).end());

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-agent-'));
  [cluster] = await Promise.all([startCluster(), publishAll(), listen()]);
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'test' });
  payloads = new PayloadServer({ directory: join(directory, 'payloads') });
  await payloads.start();
  execFileSync(cluster.tools.kubectl, [
    '--kubeconfig',
    cluster.kubeconfig,
    'apply',
    '--server-side',
    '-f',
    CRD,
  ]);
  const node = await client.create<Node>('/api/v1/nodes', { metadata: { name: NAME } });
  nodeUID = node.metadata.uid ?? '';
  const state = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeState', metadata: { name: NAME }, spec: {} };
  await until('the kind is served', async () => {
    await client.apply(PATH, state, { fieldManager: 'test' });
    return true;
  });
  const osImage = join(directory, '1.0.0.img');
  bench = new Workbench({ directory, osImage, kubeconfig: cluster.kubeconfig, nodeName: NAME });
  await bench.build();
  await bench.boot();
});

after(async () => {
  await bench?.stopAgent('SIGKILL');
  endpoint.close();
  await payloads?.stop();
  await client?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('a machine introduces itself with one write, and is quiet', async () => {
  const state = await statusIs('Idle');
  assert.equal(state.status?.os?.version, '1.0.0');
  assert.equal(state.status.engine, 'gpt');
  assert.equal(state.status.bootID, bench.bootID);
  assert.deepEqual(
    state.status.slots?.map(({ name, booted, next, version }) => ({ name, booted, next, version })),
    [
      { name: 'USR-A', booted: true, next: true, version: '1.0.0' },
      { name: 'USR-B', booted: false, next: false, version: undefined },
    ],
  );
  assert.equal(await writes(1), 1);
});

test('1.0.0 to 2.0.0, with the API server away for the whole first boot', async () => {
  const earlier = await writes();
  const began = performance.now();
  await want('2.0.0', { gate: { deadline: '5m', checks: [local(), command()] } });
  const staged = await statusIs('Staged');
  const stagedAt = performance.now();
  assert.equal(staged.status?.reboot?.requested, true);
  await grant('g1');
  await bench.goDown();
  const downAt = performance.now();
  assert.equal((await read()).status?.update?.phase, 'Rebooting');
  await cluster.stopApiServer();
  await bench.boot();
  await until('the slot is marked good without the API server', () => slot('USR-B').successful);
  await until('that is on record', () => readFileSync(recordFile(), 'utf8').includes('Succeeded'));
  const upAt = performance.now();
  await cluster.startApiServer();
  const arrived = await statusIs('Succeeded');
  const arrivedAt = performance.now();
  assert.equal(arrived.status?.os?.version, '2.0.0');
  assert.equal(arrived.status.bootID, bench.bootID);
  assert.equal(arrived.status.reboot, undefined);
  assert.deepEqual(
    arrived.status.history?.map(({ version, result }) => `${version} ${result}`),
    ['2.0.0 Succeeded'],
  );
  const used = (await writes(earlier + 3)) - earlier;
  console.log(`the agent wrote ${used} times for one update`);
  // On a slow machine a phase lasts for more than a second, and is told as well; what is not answered is told again.
  const phases = Math.floor((stagedAt - began) / 1000) + Math.floor((downAt - stagedAt) / 1000);
  const slow = phases + Math.floor((arrivedAt - upAt) / 10_000);
  assert.ok(used >= 3 && used <= 3 + slow, `${used} times, not only Staged, Rebooting, Succeeded`);
});

test('a second agent on the machine waits until the first is dead, however it dies', async () => {
  const first = bench.releaseAgent();
  assert.ok(first);
  const earlier = await writes();
  bench.startAgent();
  await until('the second agent waits', () => bench.logged('another agent runs'));
  assert.equal(await writes(), earlier, 'it says nothing over what the first says');
  // Gone before the status is taken away: it would give it back itself.
  const gone = once(first, 'exit');
  first.kill('SIGKILL');
  await gone;
  await client.mergePatch(`${PATH}/status`, { status: { engine: null } });
  await until('the second agent is the machine’s', async () => (await read()).status?.engine === 'gpt');
});

test('back to 1.0.0 only when that is allowed, and only with a grant for this node and boot', async () => {
  await want('1.0.0');
  const refused = await statusIs('Failed');
  assert.equal(refused.status?.update?.error?.code, 'DowngradeRefused');
  await want('1.0.0', { allowDowngrade: true });
  await statusIs('Staged');
  await grant('foreign', { nodeUID: 'another' });
  await grant('stale', { bootID: 'the-boot-before' });
  await grant('late', { notAfter: new Date(Date.now() - 1000).toISOString() });
  await bench.stopAgent('SIGKILL');
  const end = await bench.logEnd();
  bench.startAgent();
  await until('the agent has refused a grant', () => bench.logged('(Expired)', end));
  assert.equal((await read()).status?.update?.phase, 'Staged');
  assert.equal(slot('USR-A').priority, 0, 'nothing is armed');
  await grant('g2');
  await bench.goDown();
  await bench.boot();
  const stopKubelet = kubelet();
  try {
    const back = await statusIs('Succeeded', '1.0.0');
    assert.equal(back.status?.os?.version, '1.0.0');
  } finally {
    await stopKubelet();
  }
});

test('a version that is not healthy in time goes back, and is not tried again', async () => {
  health = 500;
  await want('3.0.0', { gate: { deadline: '10s', checks: [local()] } });
  await statusIs('Staged');
  await grant('g3');
  await bench.goDown();
  await bench.boot();
  await bench.goDown();
  await bench.boot();
  const state = await statusIs('RolledBack');
  assert.equal(state.status?.os?.version, '1.0.0');
  assert.equal(state.status.update?.error?.code, 'HealthDeadline');
  assert.equal(state.status.health?.checks[0]?.message, `port ${port()} answered 500`);
  assert.equal(state.status.quarantine?.[0]?.version, '3.0.0');
  assert.equal(slot('USR-B').priority, 0);
  assert.equal(slot('USR-A').successful, true);
});

test('a NodeState that is deleted and made again is filled again', async () => {
  const { spec } = await read();
  await client.delete(PATH);
  await client.create(resourcePath('NodeState'), {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'NodeState',
    metadata: { name: NAME },
    spec,
  });
  const state = await statusIs('RolledBack');
  assert.equal(state.status?.quarantine?.[0]?.version, '3.0.0');
});

test('with a record that it cannot read the agent says so and leaves the disk alone', async () => {
  await bench.stopAgent('SIGTERM');
  await writeFile(recordFile(), '{"format": 99}');
  bench.startAgent();
  const state = await statusIs('Failed');
  assert.match(state.status?.update?.error?.message ?? '', /format 99/);
  assert.equal(state.status?.quarantine?.[0]?.version, '3.0.0', 'what was known stays');
});

async function publishAll(): Promise<void> {
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
    const image = join(directory, `${version}.img`);
    await buildOsImage({ path: image, version, bulkMiB: 1 });
    await publishPayload({ image, version, outDir: join(directory, 'payloads'), secretKey: keys.secretKey });
  }
}

function listen(): Promise<void> {
  return new Promise((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
}

function port(): number {
  return (endpoint.address() as AddressInfo).port;
}

function local(): HealthGate['checks'][number] {
  return { name: 'local', http: { port: port(), path: '/', scheme: 'http' }, timeout: '30s' };
}

function command(): HealthGate['checks'][number] {
  return { name: 'command', command: { argv: ['true'] }, timeout: '30s' };
}

async function want(
  version: string,
  more: { gate?: HealthGate; allowDowngrade?: boolean } = {},
): Promise<void> {
  const { gate, allowDowngrade = false } = more;
  const payload = { manifest: `${payloads.url}/${version}/manifest.json` };
  const update = {
    version,
    payload,
    keys: [keys.publicKey],
    attempt: 1,
    allowDowngrade,
    health: gate ?? null,
  };
  await client.mergePatch(PATH, { spec: { update, reboot: null } });
}

async function grant(id: string, more: object = {}): Promise<void> {
  const notAfter = new Date(Date.now() + 300_000).toISOString();
  const given = { id, nodeUID, bootID: bench.bootID, notAfter, mode: 'reboot', ...more };
  await client.mergePatch(PATH, { spec: { reboot: { grant: given } } });
}

/** Says what a kubelet says until told to stop: a node whose kubelet is silent for 20 s is taken for lost. */
function kubelet(): () => Promise<void> {
  const stop = new AbortController();
  const running = sayReady(stop.signal);
  return () => {
    stop.abort();
    return running;
  };
}

async function sayReady(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const lastHeartbeatTime = new Date().toISOString();
    const ready = { type: 'Ready', status: 'True', reason: 'Test', message: '', lastHeartbeatTime };
    const status = { conditions: [ready], nodeInfo: { bootID: bench.bootID } };
    await client.mergePatch(`/api/v1/nodes/${NAME}/status`, { status }).catch(() => undefined);
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

function read(): Promise<NodeState> {
  return client.get<NodeState>(PATH);
}

async function statusIs(phase: Phase, version?: string): Promise<NodeState> {
  let state: NodeState | undefined;
  try {
    await until(`the phase is ${phase}`, async () => {
      state = await read();
      const update = state.status?.update;
      return update?.phase === phase && (version === undefined || update.version === version);
    });
  } catch (error) {
    console.log(JSON.stringify(state?.status, undefined, 1), await bench.log());
    throw error;
  }
  return state!;
}

function slot(name: string) {
  const found = bench.slots.find((one) => one.name === name);
  assert.ok(found);
  return found;
}

/**
 * Status writes by agents so far, from the API server's audit log; waits for `least`, as what a write changed can be
 * read before the write is logged. What the server refused, as while it starts, is no write.
 */
async function writes(least = 0): Promise<number> {
  let found = 0;
  await until(`${least} writes are logged`, async () => (found = await loggedWrites()) >= least);
  return found;
}

async function loggedWrites(): Promise<number> {
  // A request is logged after its answer; that of this one says that those before it are.
  marks += 1;
  const mark = `mark-${marks}-`;
  await client.get(`/api/v1/namespaces/default/configmaps/${mark}`).catch(() => undefined);
  let log = '';
  await until('the log is up to date', () => {
    log = readFileSync(cluster.auditLog, 'utf8');
    return log.includes(mark);
  });
  return log.split('\n').filter(isWrite).length;
}

function isWrite(line: string): boolean {
  return ['"verb":"patch"', 'careen-agent', '"code":200'].every((part) => line.includes(part));
}
