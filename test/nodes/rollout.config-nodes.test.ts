import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import { resourcePath } from '#api/group.ts';
import { isReady, type KubeObject, type Node, type Pod } from '#api/meta.ts';
import { WORKLOAD } from '#demo/workload.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { until } from '#test/cluster/until.ts';
import { Observer } from '#test/observer/observer.ts';
import { Release } from '../../helm/testing/release.ts';
import { Boots } from './boots.fixture.ts';
import { gatherOperators } from './gather-operators.fixture.ts';
import { freezeAgent } from './holds.fixture.ts';
import { NodeConfigs, PATIENT, QUICK } from './node-configs.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** Configuration that takes a node's network, its kubelet or its kernel's command line, on nodes that serve. */
let witness: Witness;
let configs: NodeConfigs;
let release: Release;

/** Where the operators are while other nodes are cut off. */
const CONNECTED = 'machine-3';
const NETWORK_FILE = '/etc/systemd/network/05-elsewhere.network';
const SECRETS = `/api/v1/namespaces/${BUNDLE_NAMESPACE}`;
/** What takes a while to show that it does not hold is not taken for good. */
const FAILING = { ...QUICK, settle: '9s' };
/** A node that goes down and comes up takes a while, in which nobody is to undo anything. */
const LONGER = { ...FAILING, timeout: '90s' };
const GENEROUS = { timeoutMs: 360_000, everyMs: 250 };

before(async () => {
  witness = await Witness.start({
    machines: 3,
    budget: 2,
    gate: '120s',
    values: { nodeConfig: { enabled: true } },
  });
  configs = new NodeConfigs(witness);
  release = new Release(witness.stack.cluster);
});
after(() => witness?.stop());

/** What root's program prints on a machine. */
async function on(name: string, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await witness.machine(name).exec(argv);
  assert.equal(status, 0, `${name}: ${argv.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function pods(): Promise<Pod[]> {
  const labelSelector = `app=${WORKLOAD.name}`;
  return (await witness.stack.client.list<Pod>('/api/v1/namespaces/default/pods', { labelSelector })).items;
}

test('a drop-in of the kubelet takes a turn of the lock: each node is drained, serves again, and is not rebooted (A31)', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  const first = await Promise.all(witness.names.map((name) => kubelet(name)));
  const old = new Set((await pods()).map(({ metadata }) => metadata.uid));
  const nodes = new Observer(witness.stack.cluster);
  nodes.start();
  t.after(() => nodes.stop());
  await nodes.watching();
  await configs.apply('kubelet', {
    nodeSelector: {},
    allowCritical: true,
    confirm: PATIENT,
    units: [
      { name: 'kubelet.service', dropins: [{ name: '10-test.conf', contents: '[Service]\nLimitCORE=0\n' }] },
    ],
  });
  await configs.inForce('kubelet');
  t.diagnostic(await witness.arrive('1.0.0'));
  for (const [index, name] of witness.names.entries()) {
    assert.notEqual(await kubelet(name), first[index], `the kubelet of ${name} is the old one`);
    assert.equal(await on(name, 'systemctl', 'show', '-P', 'LimitCORE', 'kubelet.service'), '0');
  }
  const isLeft = ({ metadata }: Pod) => old.has(metadata.uid) && metadata.deletionTimestamp === undefined;
  const left = (await pods()).filter(isLeft);
  assert.deepEqual(left, [], 'pods that stayed while the kubelet was restarted');
  const { outages, worstTaken } = nodes.ledger;
  assert.deepEqual([...new Set(outages.map(({ node }) => node))].toSorted(), witness.names.toSorted());
  assert.ok(worstTaken.count <= 2, worstTaken.nodes.join(' and '));
  await configs.hasten('kubelet');
  assert.deepEqual(boots.since, {});
});

test('a bad file of networkd cuts a node off: its agent undoes it, or the host does where the agent is dead (A16)', async () => {
  await gatherOperators(witness.stack, CONNECTED);
  const boots = new Boots(witness.stack.fleet.machines);
  const codes = await Promise.all([
    cutOff('machine-1', 11, async () => undefined),
    cutOff('machine-2', 12, async (name) => {
      freezeAgent(witness.machine(name));
      await until(`the host of ${name} undoes it`, () => undone(name), GENEROUS);
      witness.machine(name).kill('agent');
    }),
  ]);
  // An agent that is alive is sooner than the host, unless the computer is very busy.
  assert.match(codes[0] ?? '', /^(ProbeFailed|NotConfirmed)$/);
  assert.equal(codes[1], 'NotConfirmed');
  assert.deepEqual(boots.since, {});
});

test('a reboot, or a power cut, before a bad file of networkd is undone: the timer of the next boot undoes it (A19)', async () => {
  const boots = new Boots(witness.stack.fleet.machines);
  const codes = await Promise.all([
    cutOff('machine-1', 13, powerCutOff, LONGER),
    cutOff('machine-2', 14, rebootCutOff, LONGER),
  ]);
  assert.deepEqual(codes, ['NotConfirmed', 'NotConfirmed']);
  assert.deepEqual(boots.since, { 'machine-1': 1, 'machine-2': 1 });
});

test('a kernel argument and an update that are due together take one reboot, which brings both (A30)', async (t) => {
  const boots = new Boots(witness.stack.fleet.machines);
  const argument = 'example.careen=1';
  const nodeSelector = {};
  const deny = [{ from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', reason: 'a test' }];
  const window = { apiVersion: 'careen.dev/v1alpha1', kind: 'RebootWindow', metadata: { name: 'not-yet' } };
  await witness.stack.apply([{ ...window, spec: { nodeSelector, deny } }]);
  await configs.apply('arguments', {
    nodeSelector,
    kernelArguments: { add: [argument] },
    confirm: PATIENT,
  });
  await witness.publish('2.0.0');
  for (const node of witness.names)
    await witness.sights.when(`both wait on ${node}`, ({ name, state: { status } }) => {
      const waits = status?.update?.phase === 'Staged' && status.config?.phase === 'Waiting';
      return name === node && waits && (status.reboot?.reasons.length ?? 0) === 2;
    });
  for (const name of witness.names) assert.ok(!(await on(name, 'cat', '/proc/cmdline')).includes(argument));
  await witness.stack.kubectl(['delete', 'rebootwindow', 'not-yet']);
  t.diagnostic(await witness.arrive('2.0.0'));
  await configs.inForce('arguments');
  await configs.hasten('arguments');
  assert.deepEqual(boots.since, { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 });
  for (const name of witness.names) {
    const words = (await on(name, 'cat', '/proc/cmdline')).split(' ');
    assert.ok(words.includes(argument) && words.includes('root=LABEL=ROOT'), words.join(' '));
  }
});

test('helm test asks the operator of configuration as well', async () => {
  const said = await release.test();
  assert.match(said, /Phase: +Succeeded/);
});

test('uninstalled while a change waits for its confirmation: it is undone, what counted stays, and no secret is left', async () => {
  const boots = new Boots(witness.stack.fleet.machines);
  const files = ['/etc/example-one', '/etc/example-two'];
  await configs.apply('waits', {
    nodeSelector: {},
    files: files.map((path) => ({ path, contents: 'new\n' })),
    confirm: { timeout: '60s', settle: '10m' },
  });
  await Promise.all(
    witness.names.map((name) => configs.report(name, 'unconfirmed', ({ phase }) => phase === 'Confirming')),
  );
  await release.uninstall();
  const { client } = witness.stack;
  const isGone = (path: string) =>
    client.get(path).then(
      () => false,
      (error: unknown) => isKubeError(error, 'NotFound'),
    );
  await until('the namespace of the nodes’ secrets is gone', () => isGone(SECRETS), GENEROUS);
  for (const name of witness.names) {
    const left = async () => (await witness.machine(name).exec(['ls', ...files])).stdout;
    await until(`${name} has undone it`, async () => (await left()) === '', GENEROUS);
    assert.equal(await on(name, 'systemctl', 'show', '-P', 'LimitCORE', 'kubelet.service'), '0');
    const words = await on(name, 'sh', '-c', 'cat /boot/loader/entries/*.conf');
    assert.equal(words.match(/ example\.careen=1$/gm)?.length, 2);
  }
  const serve = async () => {
    const { items } = await client.list<Node>('/api/v1/nodes');
    return items.every((node) => isReady(node) && node.spec?.unschedulable !== true);
  };
  await until('every node serves', serve, GENEROUS);
  const rendered = await client.list<KubeObject>(resourcePath('RenderedConfig'));
  assert.ok(rendered.items.length > 0);
  for (const { metadata } of rendered.items) assert.deepEqual(metadata.finalizers ?? [], [], metadata.name);
  assert.deepEqual(boots.since, {});
});

/** The process of a kubelet, and since when it runs. */
function kubelet(name: string): Promise<string> {
  return on(name, 'systemctl', 'show', '-P', 'MainPID', '-P', 'ExecMainStartTimestamp', 'kubelet.service');
}

/**
 * Has networkd give a node another address, does something to the node as soon as it has that, and waits until the
 * node is Ready again and says that the change was undone; gives the code that it says it with.
 */
async function cutOff(
  name: string,
  last: number,
  meanwhile: (name: string) => Promise<void>,
  confirm = FAILING,
): Promise<string | undefined> {
  const config = `cut-${last}`;
  const before = witness.sights.of(name)?.state.status?.config?.hash;
  const contents = `[Match]\nName=eth0\n[Network]\nAddress=192.0.2.${last}/24\nLinkLocalAddressing=no\n`;
  await configs.apply(config, {
    nodeSelector: { matchLabels: { 'kubernetes.io/hostname': name } },
    files: [{ path: NETWORK_FILE, contents }],
    confirm,
  });
  await until(`${name} is cut off`, () => hasAddress(name, `192.0.2.${last}`), GENEROUS);
  await meanwhile(name);
  // What was undone before may still be told while the node cannot tell anything.
  const isUndone = (phase: string, hash?: string) => phase === 'Reverted' && hash !== before;
  const { error } = await configs.report(name, 'undone', ({ phase, hash }) => isUndone(phase, hash));
  assert.ok(await undone(name));
  assert.deepEqual(await configs.halted(config), [name]);
  await configs.remove(config);
  return error?.code;
}

async function powerCutOff(name: string): Promise<void> {
  await witness.cutPower(name);
  witness.machine(name).powerOn();
  await stillCutOff(name, 13);
}

async function rebootCutOff(name: string): Promise<void> {
  await witness.reboot(name);
  await stillCutOff(name, 14);
}

/** The next boot comes up with the file still there, and no agent in it. */
async function stillCutOff(name: string, last: number): Promise<void> {
  await until(`${name} has booted, cut off`, () => hasAddress(name, `192.0.2.${last}`), GENEROUS);
  assert.equal(await undone(name), false);
}

async function hasAddress(name: string, address: string): Promise<boolean> {
  const machine = witness.machine(name);
  if (machine.state().power !== 'up') return false;
  return (await machine.exec(['ip', '-4', '-o', 'address', 'show', 'eth0'])).stdout.includes(`${address}/`);
}

async function undone(name: string): Promise<boolean> {
  const machine = witness.machine(name);
  if (machine.state().power !== 'up') return false;
  const { stdout } = await machine.exec(['sh', '-c', `[ -e ${NETWORK_FILE} ] || echo gone`]);
  return stdout.trim() === 'gone' && (await hasAddress(name, machine.address));
}
