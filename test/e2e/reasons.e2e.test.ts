import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { resourcePath } from '#api/group.ts';
import type { NodeGroup, NodeState } from '#api/kinds.ts';
import { until as untilSoon } from '#test/cluster/until.ts';
import { allRest, readWorld } from '#test/stack/objects.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';
import { STUBBORN, stubbornWorkload } from '#test/stack/stubborn-workload.ts';

/** One story after the other on the same three machines: each ends where the next begins. */
let stack: Stack;
/** Far more than anything takes on an idle computer. */
const PATIENCE_MS = 300_000;

before(async () => {
  stack = await startStack({ machines: 3, firstVersion: '1.0.0', times: { bootMs: 500, shutdownMs: 200 } });
  await stack.publishAndDeclare('1.0.0');
  await changeGroup(() => undefined);
  await settled('1.0.0');
});

after(() => stack?.stop());

test('a node that waits for a window says so in its NodeState, in its events and on its lock', async () => {
  const deny = [{ from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', reason: 'the yearly freeze' }];
  const metadata = { name: 'freeze' };
  await stack.apply([
    { apiVersion: 'careen.dev/v1alpha1', kind: 'RebootWindow', metadata, spec: { nodeSelector: {}, deny } },
  ]);
  await stack.publishAndDeclare('2.0.0');
  await until('the lock names who waits and why', async () => {
    const { lock } = await world();
    return (
      lock?.status?.waiting?.every(({ reason }) => reason === 'WindowClosed') === true &&
      lock.status.waitingCount === 3
    );
  });
  await until(
    'the NodeState says why',
    async () => (await state('machine-1')).spec.reboot?.hold?.reason === 'WindowClosed',
  );
  const hold = (await state('machine-1')).spec.reboot?.hold;
  assert.match(hold?.message ?? '', /freeze/);
  const described = () => stack.kubectl(['describe', 'node', 'machine-1']);
  await until('an event says why', async () => /WindowClosed.*freeze/.test(await described()));
  const table = await stack.kubectl(['get', 'nodestates']);
  assert.match(table, /machine-1 +1\.0\.0 +2\.0\.0 +Staged +WindowClosed/);
  await stack.kubectl(['delete', 'rebootwindow', 'freeze']);
  await settled('2.0.0');
});

test('a pod that may not leave is named with its budget, and its node does not reboot', async () => {
  await stack.apply(stubbornWorkload());
  await until('the pod runs', async () => {
    const phases = (await stubbornPods()).map(({ status }) => status?.phase);
    return phases.length === 1 && phases[0] === 'Running';
  });
  const [pod] = await stubbornPods();
  const node = pod?.spec?.nodeName ?? '';
  await stack.publishAndDeclare('2.1.0');
  await until(
    'the blocked drain is told',
    async () => (await state(node)).spec.reboot?.hold?.reason === 'DrainBlocked',
  );
  const message = (await state(node)).spec.reboot?.hold?.message ?? '';
  assert.match(message, new RegExp(`${pod?.metadata.name}`));
  assert.match(message, new RegExp(STUBBORN.budget));
  assert.equal((await state(node)).status?.os?.version, '2.0.0');
  await stack.kubectl(['delete', 'pdb', STUBBORN.budget]);
  await settled('2.1.0');
});

test('a version that boots but is never healthy is left again, told as HealthDeadline, and halts', async () => {
  await changeGroup(({ spec }) => {
    spec.health.deadline = '4s';
  });
  await stack.publishAndDeclare('3.0.0', 'unhealthy');
  await rolledBack('3.0.0', 'HealthDeadline');
  await settled('2.1.0');
});

test('a version that hangs at its boot is left by the watchdog and the boot loader, told as BootFailed', async () => {
  await stack.publishAndDeclare('3.1.0', 'hang');
  await rolledBack('3.1.0', 'BootFailed');
  await settled('2.1.0');
});

test('a node whose gate runs goes back by itself while no API server can be reached', async () => {
  await changeGroup(({ spec }) => {
    spec.health.deadline = '20s'; // long enough to be met while the gate runs
  });
  await stack.publishAndDeclare('3.2.0', 'unhealthy');
  await until('a gate runs', async () =>
    (await world()).states.some(({ status }) => status?.update?.phase === 'Verifying'),
  );
  await stack.cluster.stopApiServer();
  try {
    await until('no machine runs 3.2.0', () => booted('3.2.0').length === 0);
  } finally {
    await stack.cluster.startApiServer();
  }
  await rolledBack('3.2.0', 'HealthDeadline');
  await settled('2.1.0');
});

test('the next good version reaches every machine after all that', async () => {
  // What is healthy has its time to say so.
  await changeGroup(() => undefined);
  await stack.publishAndDeclare('4.0.0');
  await settled('4.0.0');
});

function world() {
  return readWorld(stack.client, 'workers', `app=${STUBBORN.name}`);
}

async function stubbornPods() {
  return (await world()).pods;
}

function state(name: string): Promise<NodeState> {
  return stack.client.get<NodeState>(resourcePath('NodeState', name));
}

function booted(version: string): string[] {
  return stack.fleet.machines
    .filter((machine) => machine.state().version === version)
    .map(({ name }) => name);
}

function settled(version: string): Promise<void> {
  const rest = async () => allRest(await world(), stack.machineNames, version);
  return until(`every machine rests on ${version}`, rest);
}

/** Some machine tried `version`, is back, says why, and the group has halted. */
function rolledBack(version: string, code: string): Promise<void> {
  const told = async (): Promise<boolean> => {
    const { states, group } = await world();
    const failed = states.filter(
      ({ status }) => status?.update?.version === version && status.update.phase === 'RolledBack',
    );
    return (
      failed.length > 0 &&
      failed.every(
        ({ status }) =>
          status?.update?.error?.code === code && status.quarantine?.some((one) => one.version === version),
      ) &&
      group?.status?.rollout?.target === version &&
      group.status.rollout.halted !== undefined
    );
  };
  return until(`${version} is rolled back with ${code} and halted`, told);
}

function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  return untilSoon(what, condition, { timeoutMs: PATIENCE_MS, everyMs: 100 });
}

function changeGroup(change: (group: NodeGroup) => void): Promise<void> {
  return stack.applyGroup((group) => {
    group.spec.reboot.minReadySeconds = 0;
    change(group);
  });
}
