import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { isReady, type Node } from '#api/meta.ts';
import type { Lease } from '#runtime/leader/lease.ts';
import { auditEvents } from '#test/observer/audit.ts';
import { until } from '#test/cluster/until.ts';
import { AgentPods } from './agent-pods.fixture.ts';
import { backTo } from './back-to.fixture.ts';
import { Boots } from './boots.fixture.ts';
import { emptyVar, fillVar, holdGate, holdReboot, releaseGate, releaseReboot } from './holds.fixture.ts';
import type { Moment } from './moment.fixture.ts';
import { Witness } from './witness.fixture.ts';

/** What happens to hosts beside their updates. In each suite it happens to all nodes at once, to each something else. */
let witness: Witness;
let agents: AgentPods;
let boots: Boots;

const POD_NAME = 'authentication.kubernetes.io/pod-name';
const CREDENTIAL = 'authentication.kubernetes.io/credential-id';
const WITHIN = { timeoutMs: 240_000, everyMs: 100 };
/** Of each answer: a slot takes four minutes, so that it is still being written when all has been done to its node. */
const SLOWLY = 48 * 1024;
const ONCE = { 'machine-1': 1, 'machine-2': 1, 'machine-3': 1 };

before(async () => {
  // Longer than any test holds a version on trial.
  witness = await Witness.start({ machines: 3, budget: 2, gate: '30m' });
  agents = new AgentPods(witness.stack.client);
});
after(() => witness?.stop());

test('an agent is known to the API server by the token in its volume, which is its pod’s and ends soon', async () => {
  const { metadata } = await agents.on('machine-2');
  const { jti, exp, iat, 'kubernetes.io': of } = await tokenOn('machine-2');
  assert.equal(of.pod.name, metadata.name);
  assert.equal(of.node.name, 'machine-2');
  assert.ok(exp - iat <= 3607, 'an hour, and a little');
  await witness.stack.settle();
  const writers = new Set<string>();
  for await (const { verb, user, objectRef } of auditEvents(witness.stack.cluster.auditLog)) {
    const isStatus = objectRef?.resource === 'nodestates' && objectRef.subresource === 'status';
    if (verb !== 'patch' || !isStatus || user.extra?.[POD_NAME]?.[0] !== metadata.name) continue;
    assert.equal(objectRef.name, 'machine-2');
    for (const credential of user.extra[CREDENTIAL] ?? []) writers.add(credential);
  }
  assert.deepEqual([...writers], [`JTI=${jti}`]);
});

suite('while a slot is written', { concurrency: true }, () => {
  before(async () => {
    boots = new Boots(witness.stack.fleet.machines);
    witness.stack.payloads.bytesPerSecond = SLOWLY;
    await witness.stack.publishAndDeclare('2.0.0');
    for (const name of witness.names) await witness.whenWritten(name);
  });
  after(() => {
    witness.stack.payloads.bytesPerSecond = undefined;
  });

  test('a person’s reboot brings back what ran, and the writing goes on', async () => {
    assert.equal(await rebootByPerson('machine-1'), '1.0.0');
    await backTo(witness, 'machine-1', 'Staging');
  });

  test('a kubelet that is restarted leaves the agent at its work', async () => {
    const before = await agents.container('machine-2');
    await restart('machine-2', 'kubelet');
    assert.equal(await agents.container('machine-2'), before);
    await witness.when('Staging', 'machine-2');
  });

  test('an agent that is evicted is followed by one that goes on', async () => {
    await agents.evict('machine-3');
    await witness.when('Staging', 'machine-3');
  });
});

test('a reboot by a person is the only one that is more than an update takes', async (t) => {
  t.diagnostic(await witness.arrive('2.0.0'));
  assert.deepEqual(boots.since, { ...ONCE, 'machine-1': 2 });
});

suite('while a written slot waits for its turn', { concurrency: true }, () => {
  before(async () => {
    boots = new Boots(witness.stack.fleet.machines);
    await witness.stack.apply([FREEZE]);
    await witness.stack.publishAndDeclare('2.1.0');
    for (const name of witness.names) await witness.when('Staged', name);
    await holdReboot(witness.machine('machine-3'));
  });
  after(() => witness.stack.kubectl(['delete', 'rebootwindow', 'freeze']));

  test('a person’s reboot boots what ran, not what is staged, and the node waits on', async () => {
    assert.equal(await rebootByPerson('machine-1'), '2.0.0');
    await backTo(witness, 'machine-1', 'Staged');
  });

  test('a containerd that is restarted takes no container with it', async () => {
    const before = await agents.container('machine-2');
    await restart('machine-2', 'containerd');
    assert.equal(await agents.container('machine-2'), before);
    assert.equal(momentOn('machine-2'), 'Staged');
  });

  test('an agent that is killed is followed by one that knows the slot', async () => {
    await agents.remove('machine-3');
    await witness.when('Staged', 'machine-3');
  });
});

test('an agent that is replaced between arming and the reboot is followed by one that brings it about', async (t) => {
  await witness.when('Rebooting', 'machine-3');
  await agents.evict('machine-3');
  assert.equal(momentOn('machine-3'), 'Rebooting');
  await releaseReboot(witness.machine('machine-3'));
  t.diagnostic(await witness.arrive('2.1.0'));
  assert.deepEqual(boots.since, { ...ONCE, 'machine-1': 2 });
});

suite('while a version is on trial', { concurrency: true }, () => {
  let [one, other] = ['', ''];

  before(async () => {
    boots = new Boots(witness.stack.fleet.machines);
    for (const name of witness.names) await holdGate(witness.machine(name));
    await witness.stack.publishAndDeclare('2.2.0');
    one = (await witness.when('Verifying')).name;
    other = (
      await witness.sights.when(
        'another one is',
        ({ name, moment }) => name !== one && moment === 'Verifying',
      )
    ).name;
  });
  after(async () => {
    await witness.everywhere(releaseGate);
  });

  test('kubelet and containerd are restarted, and it stays on trial', async () => {
    await restart(one, 'kubelet');
    await restart(one, 'containerd');
    assert.equal(momentOn(one), 'Verifying');
  });

  test('an agent that is killed is followed by one that goes on judging', async () => {
    await agents.remove(other);
    assert.equal(momentOn(other), 'Verifying');
  });
});

test('what was disturbed on trial is kept, and no node boots twice for it', async (t) => {
  t.diagnostic(await witness.arrive('2.2.0'));
  assert.deepEqual(boots.since, ONCE);
});

test('a full /var stops an update with an error that says so; with room again it goes on', async (t) => {
  boots = new Boots(witness.stack.fleet.machines);
  await witness.changeGroup(({ spec }) => {
    Object.assign(spec.update?.rollout ?? {}, { retry: { limit: 9, backoff: '2s' } });
    // The full node takes no pods either, for minutes; another one must.
    spec.reboot.maxUnavailable = 1;
  });
  const machine = witness.machine('machine-1');
  await witness.stack.releases.publish('2.3.0');
  await fillVar(machine);
  await witness.stack.declare();
  const { state } = await witness.sights.when('it is told', ({ name, state: { status } }) => {
    return name === machine.name && status?.update?.error !== undefined;
  });
  t.diagnostic(JSON.stringify(state.status?.update));
  assert.equal(state.status?.update?.error?.code, 'StateUnwritable');
  assert.match(state.status.update.error.message, /make room/);
  assert.equal(boots.since[machine.name], undefined);
  await emptyVar(machine);
  t.diagnostic(await witness.arrive('2.3.0'));
  assert.deepEqual(boots.since, ONCE);
});

const FREEZE = {
  apiVersion: 'careen.dev/v1alpha1',
  kind: 'RebootWindow',
  metadata: { name: 'freeze' },
  spec: {
    nodeSelector: {},
    deny: [{ from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', reason: 'a freeze' }],
  },
};

function momentOn(name: string): Moment | undefined {
  return witness.sights.of(name)?.moment;
}

/** What it runs then. */
async function rebootByPerson(name: string): Promise<string | undefined> {
  const machine = witness.machine(name);
  const { boots: before } = machine.state();
  await witness.reboot(name);
  return (await machine.waitForBoot(before + 1, WITHIN.timeoutMs)).version;
}

/** Resolves when the kubelet has told the API server of itself after it. */
async function restart(name: string, service: string): Promise<void> {
  const began = Date.now();
  const { status, stderr } = await witness.machine(name).exec(['systemctl', 'restart', `${service}.service`]);
  assert.equal(status, 0, stderr);
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
  const heard = async () => {
    const { spec } = await witness.stack.client.get<Lease>(path);
    const node = await witness.stack.client.get<Node>(`/api/v1/nodes/${name}`);
    return Date.parse(spec?.renewTime ?? '') > began && isReady(node);
  };
  await until(`${name} is Ready`, heard, WITHIN);
}

interface Claims {
  jti: string;
  iat: number;
  exp: number;
  'kubernetes.io': { pod: { name: string }; node: { name: string } };
}

/** What the token says that the agent's container sees. */
async function tokenOn(name: string): Promise<Claims> {
  const secrets = '/root/var/run/secrets/kubernetes.io/serviceaccount/token';
  const script = `cat /proc/$(pgrep -f /app/agent[.]mjs)${secrets}`;
  const { stdout } = await witness.machine(name).exec(['sh', '-c', script]);
  return JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}
