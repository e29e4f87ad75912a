import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { generateKey } from '#agent/payload/minisign.ts';
import { publishPayload } from '#agent/payload/publish.ts';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { UpdateErrorCode } from '#api/node-state.ts';
import { until as untilSoon } from '#test/cluster/until.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';

/** One story after the other on the same three machines: each ends where the next begins. */
const MIB = 1024 * 1024;
const SLOT_MIB = 64;
/** Far more than anything takes on an idle computer. */
const PATIENCE_MS = 300_000;
/** Bytes a second of each answer: a slot takes half a minute. */
const SLOWLY = 48 * 1024;
const ours = generateKey();
const MACHINES = ['machine-1', 'machine-2', 'machine-3'] as const;

interface Release {
  version: string;
  payload: { manifest: string };
  floor?: boolean;
}

let stack: Stack;
/** Small, and no file system: what is refused before it runs need not run. */
let junk: string;

before(async () => {
  stack = await startStack({
    machines: MACHINES.length,
    firstVersion: '1.0.0',
    times: { bootMs: 300, shutdownMs: 100 },
  });
  junk = await image('junk', MIB);
});

after(() => stack?.stop());

test('what cannot be staged ends in its own error code, is retried to the limit, and its node serves on', async () => {
  await Promise.all(MACHINES.map((name) => lonelyGroup(name)));
  const tooLarge = await image('too-large', (SLOT_MIB + 1) * MIB);
  stack.payloads.fault = { kind: 'corrupt', path: /1\.1\.2\/blob$/ };
  await declareEach([
    await published('1.1.0', { by: generateKey().secretKey }),
    await published('1.1.1', { from: tooLarge }),
    await published('1.1.2'),
  ]);
  await Promise.all([
    refused('machine-1', '1.1.0', 'KeyUnknown'),
    refused('machine-2', '1.1.1', 'SlotTooSmall'),
    refused('machine-3', '1.1.2', 'ChunkCorrupt'),
  ]);
});

test('a changed manifest, a cut blob and a connection that breaks each have their own error code as well', async () => {
  stack.payloads.fault = { kind: 'truncate', path: /1\.2\.2\/blob$/ };
  await declareEach([
    await published('1.2.0', { spoil: spoilManifest }),
    await published('1.2.1', { spoil: cutBlob }),
    await published('1.2.2'),
  ]);
  await Promise.all([
    refused('machine-1', '1.2.0', 'SignatureInvalid'),
    refused('machine-2', '1.2.1', 'PayloadTruncated'),
    refused('machine-3', '1.2.2', 'PayloadUnreachable'),
  ]);
});

test('an acknowledged version halts nothing, and its node still stops at the limit', async () => {
  await lonelyGroup('machine-1', { haltOn: { acknowledged: ['1.3.0'] } });
  await declare('machine-1', [await published('1.3.0', { by: generateKey().secretKey })]);
  await until('its retries are exhausted', async () =>
    (await wordsOf('machine-1')).startsWith('1.3.0 failed 3 times'),
  );
  assert.equal(await holdOf('machine-1'), 'RetriesExhausted');
  const { status } = await group('machine-1');
  assert.equal(status?.rollout?.target, '1.3.0');
  assert.equal(status?.rollout?.halted, undefined);
});

test('while the server is down nodes back off, and the next good release then arrives everywhere', async () => {
  await Promise.all(MACHINES.map((name) => lonelyGroup(name, { retry: { limit: 9, backoff: '2s' } })));
  stack.payloads.fault = { kind: 'refuse' };
  const good = await published('2.0.0', { from: await stack.releases.image('2.0.0') });
  await declareEach([good, good, good]);
  for (const name of MACHINES) {
    // Read at once: a moment later it is tried again, and nothing is said.
    await until(`${name} backs off`, async () => {
      const { reason, message = '' } = (await state(name)).spec.update?.hold ?? {};
      return reason === 'BackingOff' && message.startsWith('2.0.0 failed with ManifestUnreachable');
    });
    assert.equal((await group(name)).status?.rollout?.halted, undefined);
  }
  stack.payloads.fault = undefined;
  await arrived('2.0.0');
  for (const name of MACHINES) assert.ok(((await state(name)).status?.update?.attempt ?? 0) > 1);
});

test('waves go one after another with a soak, and nobody steps over a floor', async () => {
  const bootsBefore = bootsOf();
  const waves = [
    { name: 'first', size: 1, soak: '3s' },
    { name: 'second', size: 1 },
  ];
  await declare('stable', await ladder());
  await workers({ rollout: { waves } });
  await stack.client.delete(resourcePath('NodeGroup', 'machine-1'));
  await stack.client.delete(resourcePath('NodeGroup', 'machine-2'));
  await stack.client.delete(resourcePath('NodeGroup', 'machine-3'));
  await arrived('3.0.0');
  const boots = bootsOf();
  for (const [name, count] of bootsBefore)
    assert.equal(boots.get(name), count + 2, `${name} booted once a step`);
  const histories = await Promise.all(MACHINES.map(async (name) => (await state(name)).status?.history));
  for (const history of histories) {
    assert.deepEqual(
      history?.slice(0, 2).map(({ version }) => version),
      ['3.0.0', '2.1.0'],
    );
  }
  await complete('3.0.0');
  const told = (await group('workers')).status?.rollout?.waves ?? [];
  assert.deepEqual(
    told.map(({ name, nodes, done }) => [name, nodes, done]),
    [
      ['first', 1, 1],
      ['second', 1, 1],
      ['rest', 1, 1],
    ],
  );
  const steps = histories
    .map((history) => Date.parse(history?.[1]?.finishedAt ?? ''))
    .toSorted((a, b) => a - b);
  const doneAt = told.map((wave) => Date.parse(wave.doneAt ?? ''));
  assert.ok((steps[1] ?? 0) >= (doneAt[0] ?? NaN) + 3000, 'the second began after the soak of the first');
  assert.ok((steps[2] ?? 0) >= (doneAt[1] ?? NaN), 'the third began after the second was done');
});

test('a pin to an older release waits for allowDowngrade, and then takes every node back', async () => {
  await workers({ version: '2.1.0' });
  for (const name of MACHINES) {
    await until(`${name} refuses`, async () => (await holdOf(name)) === 'DowngradeNotAllowed');
  }
  await workers({ version: '2.1.0', allowDowngrade: true });
  await arrived('2.1.0');
});

test('a pause in the middle lets one node arrive and holds the others; the end of the pause takes them along', async () => {
  // Were it staged before the pause is heard of, the next one would be on its way too.
  stack.payloads.bytesPerSecond = SLOWLY;
  await workers({ rollout: { maxStaging: 1 } });
  await until('one node is on its way', async () => (await offered()).length === 1);
  const [first = ''] = await offered();
  await workers({ paused: true, rollout: { maxStaging: 1 } });
  const others = MACHINES.filter((name) => name !== first);
  for (const name of others) await until(`${name} says Paused`, () => isPaused(name));
  stack.payloads.bytesPerSecond = undefined;
  await until('it arrives', async () => (await state(first)).status?.os?.version === '3.0.0');
  for (const name of others) {
    assert.ok(await isPaused(name));
    assert.equal(stack.machine(name).state().version, '2.1.0');
  }
  await until(
    'the group says Paused',
    async () => (await said('workers', 'Progressing')).reason === 'Paused',
  );
  await workers({});
  await arrived('3.0.0');
});

test('a node that two groups of equal priority select says GroupConflict, and so do both groups', async () => {
  await apply('NodeGroup', 'rival', {
    nodeSelector: only('machine-2'),
    update: { channel: 'stable' },
    reboot: { minReadySeconds: 0 },
  });
  await until('the node says so', async () => (await holdOf('machine-2')) === 'GroupConflict');
  for (const name of ['workers', 'rival']) {
    await until(`${name} says so`, async () => (await said(name, 'Conflict')).status === 'True');
    assert.match((await said(name, 'Conflict')).message ?? '', /machine-2/);
  }
  await stack.client.delete(resourcePath('NodeGroup', 'rival'));
  await until('it is in its group again', async () => {
    const { spec } = await state('machine-2');
    return spec.update?.group === 'workers' && spec.update.hold === undefined;
  });
});

function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  return untilSoon(what, condition, { timeoutMs: PATIENCE_MS, everyMs: 50 });
}

async function image(name: string, bytes: number): Promise<string> {
  const file = path.join(stack.cluster.directory, `${name}.img`);
  await writeFile(file, '');
  await truncate(file, bytes);
  return file;
}

interface Publication {
  /** Image; junk unless told. */
  from?: string;
  /** Secret key; ours unless told. */
  by?: string;
  /** What happens to the files afterwards, given their directory. */
  spoil?: (directory: string) => Promise<void>;
}

async function published(version: string, { from = junk, by, spoil }: Publication = {}): Promise<Release> {
  const outDir = stack.releases.root;
  await publishPayload({ image: from, version, outDir, secretKey: by ?? ours.secretKey, level: 1 });
  await spoil?.(path.join(outDir, version));
  return { version, payload: { manifest: `${stack.payloads.url}/${version}/manifest.json` } };
}

async function spoilManifest(directory: string): Promise<void> {
  const file = path.join(directory, 'manifest.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"format":1', '"format": 1'));
}

async function cutBlob(directory: string): Promise<void> {
  await truncate(path.join(directory, 'blob'), 10);
}

/** 2.1.0 is a floor on the way from 2.0.0 to 3.0.0. */
async function ladder(): Promise<Release[]> {
  const floor = await published('2.1.0', { from: await stack.releases.image('2.1.0') });
  const top = await published('3.0.0', { from: await stack.releases.image('3.0.0') });
  return [{ ...floor, floor: true }, top];
}

function declare(channel: string, releases: Release[]): Promise<void> {
  return apply('UpdateChannel', channel, { keys: [ours.publicKey], source: { releases } });
}

/** Every machine's own channel has one release. */
async function declareEach(releases: Release[]): Promise<void> {
  await Promise.all(MACHINES.map((name, index) => declare(name, releases.slice(index, index + 1))));
}

/** A group and a channel, both named like their only machine, so that three stories go on at once. */
function lonelyGroup(machine: string, rollout: object = {}): Promise<void> {
  return apply('NodeGroup', machine, {
    nodeSelector: only(machine),
    priority: 1,
    update: { channel: machine, rollout: { retry: { limit: 1, backoff: '1s' }, ...rollout } },
    reboot: { minReadySeconds: 0 },
  });
}

function workers(update: object): Promise<void> {
  return apply('NodeGroup', 'workers', {
    nodeSelector: { matchLabels: { 'example.com/pool': 'workers' } },
    update: { channel: 'stable', ...update },
    reboot: { minReadySeconds: 0, maxUnavailable: 3 },
  });
}

function only(machine: string): object {
  return { matchLabels: { 'kubernetes.io/hostname': machine } };
}

async function apply(kind: 'NodeGroup' | 'UpdateChannel', name: string, spec: object): Promise<void> {
  const body = { apiVersion: API_VERSION, kind, metadata: { name }, spec };
  await stack.client.apply(resourcePath(kind, name), body, { fieldManager: 'test', force: true });
}

function state(name: string): Promise<NodeState> {
  return stack.client.get<NodeState>(resourcePath('NodeState', name));
}

function group(name: string): Promise<NodeGroup> {
  return stack.client.get<NodeGroup>(resourcePath('NodeGroup', name));
}

async function holdOf(name: string): Promise<string | undefined> {
  return (await state(name)).spec.update?.hold?.reason;
}

async function isPaused(name: string): Promise<boolean> {
  return (await holdOf(name)) === 'Paused';
}

async function wordsOf(name: string): Promise<string> {
  return (await state(name)).spec.update?.hold?.message ?? '';
}

async function said(name: string, type: string) {
  const conditions = (await group(name)).status?.conditions ?? [];
  return conditions.find((one) => one.type === type) ?? { status: 'Unknown', reason: '', message: '' };
}

async function offered(): Promise<string[]> {
  const states = await Promise.all(MACHINES.map(state));
  return states
    .filter(({ spec, status }) => spec.update?.payload && spec.update.version !== status?.os?.version)
    .map(({ metadata }) => metadata.name);
}

function bootsOf(): Map<string, number> {
  return new Map(stack.fleet.machines.map((machine) => [machine.name, machine.state().boots]));
}

/** The node and its group tell how `version` failed; after that nothing more is tried, and nothing was disturbed. */
async function refused(name: string, version: string, code: UpdateErrorCode): Promise<void> {
  const { boots } = stack.machine(name).state();
  await until(`${name} gives ${version} up with ${code}`, async () => {
    const { spec, status } = await state(name);
    const { rollout, failed } = (await group(name)).status ?? {};
    return (
      status?.update?.version === version &&
      spec.update?.hold?.reason === 'RetriesExhausted' &&
      rollout?.target === version &&
      rollout.halted !== undefined &&
      failed === 1 // the counts of a group are told at a slower pace
    );
  });
  const { spec, status } = await state(name);
  assert.equal(status?.update?.phase, 'Failed');
  assert.equal(status.update.error?.code, code);
  assert.equal(status.update.attempt, 2, 'it was tried again once, as the limit says');
  assert.match(spec.update?.hold?.message ?? '', new RegExp(code));
  assert.equal(spec.update?.version, undefined);
  const { rollout } = (await group(name)).status ?? {};
  assert.match(rollout?.halted?.reason ?? '', new RegExp(code));
  assert.deepEqual(rollout?.halted?.nodes, [name]);
  await serves(name, boots);
}

/** It never left, is not cordoned, and its firmware cannot choose the other slot. */
async function serves(name: string, boots: number): Promise<void> {
  const machine = stack.machine(name).state();
  assert.equal(machine.power, 'up');
  assert.equal(machine.boots, boots);
  const node = await stack.client.get<Node>(`/api/v1/nodes/${name}`);
  assert.notEqual(node.spec?.unschedulable, true);
  const passive = machine.slots.filter((slot) => slot.name !== machine.running);
  for (const slot of passive) assert.equal(slot.priority, 0, `${slot.name} can be chosen`);
}

async function complete(target: string): Promise<void> {
  await until(`workers is complete at ${target}`, async () => {
    const { message, status } = await said('workers', 'Complete');
    return status === 'True' && message.includes(target);
  });
}

/** Every machine runs `version`, says so, and takes pods. */
function arrived(version: string): Promise<void> {
  const isThere = async (name: string): Promise<boolean> => {
    const { status } = await state(name);
    const node = await stack.client.get<Node>(`/api/v1/nodes/${name}`);
    const { os, update } = status ?? {};
    return os?.version === version && update?.phase === 'Succeeded' && node.spec?.unschedulable !== true;
  };
  return until(`every machine runs ${version}`, async () =>
    (await Promise.all(MACHINES.map(isThere))).every((is) => is),
  );
}
