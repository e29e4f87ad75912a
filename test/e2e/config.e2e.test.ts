import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState } from '#api/kinds.ts';
import { until } from '#test/cluster/until.ts';
import { readTraffic, sumOf } from '#test/observer/audit.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';

/** Twenty machines, each with an agent of its own that writes files and asks probes. No systemd: files only. */
let stack: Stack;

const COUNT = 20;
const CANARIES = ['machine-1', 'machine-2'];
const SECOND = ['machine-3', 'machine-4', 'machine-5', 'machine-6', 'machine-7'];
const WORST = 'machine-5';
const FILES = ['/etc/example/one', '/etc/example/two'];
const GENEROUS = { timeoutMs: 600_000, everyMs: 250 };

before(async () => {
  stack = await startStack({
    machines: COUNT,
    firstVersion: '1.0.0',
    times: { bootMs: 300, shutdownMs: 100 },
    values: { nodeConfig: { enabled: true } },
  });
});
after(() => stack?.stop());

test('a config reaches twenty machines wave after wave, in a few writes for each', async (t) => {
  await apply('one');
  await everywhere('one');
  const from = Date.now();
  await apply('two');
  await everywhere('two');
  const to = Date.now();
  await stack.settle();
  const traffic = [...(await readTraffic(stack.cluster.auditLog, from, to))];
  const of = (user: RegExp, resource: string) =>
    sumOf(
      traffic.filter(([name]) => user.test(name)),
      ({ byResource }) => byResource[resource] ?? 0,
    ) / COUNT;
  const writes = {
    spec: of(/careen-node-config/, 'nodestates'),
    status: of(/careen-agent/, 'nodestates/status'),
    secret: of(/careen-node-config/, 'secrets'),
  };
  t.diagnostic(`writes a changed node: ${JSON.stringify(writes)}`);
  // Its hash and the word to apply it; what it is given; planned, applying, confirming, applied; and what a busy
  // computer makes of that: holds that last, reports that come late.
  assert.ok(writes.spec <= 4 && writes.secret <= 2 && writes.status <= 6, JSON.stringify(writes));
});

test('a wave in which one machine fails halts: it has what it had, as have all that had not begun', async () => {
  await writeFile(path.join(rootOf(WORST), 'bad'), '');
  await apply('broken');
  const { status } = await told('halted', (one) => one.status?.rollout?.halted !== undefined);
  assert.deepEqual(status?.rollout?.halted?.nodes, [WORST]);
  assert.match(status.rollout.halted.reason, /ProbeFailed/);
  // Who had begun by then comes to the end of it.
  await until('all have what they should', () => stack.machineNames.every(hasItsText), GENEROUS);
});

test('the old spec brings the old bytes back everywhere, though agents die on the way', async () => {
  await apply('two');
  for (const name of ['machine-1', 'machine-4', WORST]) stack.machine(name).kill('agent');
  await everywhere('two');
  const { status } = await told('told', (one) => one.status?.upToDate === COUNT);
  assert.equal(status?.rollout?.halted, undefined);
  assert.ok(
    [...stack.power().values()].every(({ boots }) => boots === 1),
    'none was rebooted',
  );
});

test('a config that is deleted takes its files with it', async () => {
  await stack.client.delete(resourcePath('NodeConfig', 'motd'));
  await until('nothing is left', () => stack.machineNames.every(isBare), GENEROUS);
});

function hasItsText(name: string): boolean {
  const text = textOn(name);
  if (CANARIES.includes(name)) return text === 'broken';
  return text === 'two' || (text === 'broken' && SECOND.includes(name) && name !== WORST);
}

function isBare(name: string): boolean {
  return FILES.every((file) => !existsSync(path.join(rootOf(name), file)));
}

function hostnames(values: string[]) {
  return { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] };
}

/** Two files that say the same, which fail where a file of the machine's own is, once they are `broken`. */
async function apply(contents: string): Promise<void> {
  const probe = { name: 'not-bad', command: { argv: ['test', '!', '-e', 'bad'] } };
  const spec = {
    nodeSelector: { matchLabels: { 'example.com/pool': 'workers' } },
    directories: [{ path: '/etc/example' }],
    files: FILES.map((file) => ({ path: file, contents: `${contents} \${node.name}\n` })),
    probes: contents === 'broken' ? [probe] : [],
    // What passes does so within a moment; on a machine that is busy with other things, within a minute and a half.
    confirm: { timeout: '90s', settle: '1s' },
    rollout: {
      waves: [
        { name: 'canary', size: CANARIES.length, nodeSelector: hostnames(CANARIES) },
        { name: 'second', size: SECOND.length, nodeSelector: hostnames(SECOND) },
      ],
    },
  };
  const head = { apiVersion: 'careen.dev/v1alpha1', kind: 'NodeConfig', metadata: { name: 'motd' } };
  await stack.apply([{ ...head, spec }]);
}

function rootOf(name: string): string {
  return path.join(stack.machine(name).directory, 'root');
}

/** What both files say: never one this and the other that, once a machine is at rest. */
function textOn(name: string): string {
  const texts = FILES.map((file) => readFileSync(path.join(rootOf(name), file), 'utf8'));
  assert.equal(texts[0], texts[1], name);
  const [text = '', node] = (texts[0] ?? '').trim().split(' ');
  assert.equal(node, name);
  return text;
}

async function everywhere(text: string): Promise<void> {
  const holds = async () => {
    const all = await states();
    return (
      all.length === COUNT && all.every((state) => isAtRest(state) && textOn(state.metadata.name) === text)
    );
  };
  await until(`all machines say ${text}`, holds, GENEROUS).catch(async (cause: unknown) => {
    const reports = (await states()).map(({ metadata, spec, status }) => [
      metadata.name,
      spec.config,
      status?.config,
    ]);
    throw new Error(JSON.stringify(reports), { cause });
  });
}

function isAtRest({ spec, status }: NodeState): boolean {
  const { phase = '', hash } = status?.config ?? {};
  return hash === spec.config?.hash && !['Applying', 'Confirming', 'Waiting'].includes(phase);
}

async function states(): Promise<NodeState[]> {
  const { items } = await stack.client.list<NodeState>(resourcePath('NodeState'));
  return items.filter(({ metadata }) => stack.machineNames.includes(metadata.name));
}

async function told(what: string, holds: (config: NodeConfig) => boolean): Promise<NodeConfig> {
  let last: NodeConfig | undefined;
  const look = async () => {
    last = await stack.client.get<NodeConfig>(resourcePath('NodeConfig', 'motd'));
    return last.status?.observedGeneration === last.metadata.generation && holds(last);
  };
  await until(`the NodeConfig is ${what}`, look, GENEROUS);
  return last!;
}
