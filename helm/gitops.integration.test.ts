import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { API_VERSION, type Kind, resourcePath } from '#api/group.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import type { UpdateChannel, RebootWindow } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta.ts';
import { channelStatus } from '#operators/update/channel/channel-status.ts';
import { windowStatus } from '#operators/reboot-lock/window/status.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { run } from '#test/stack/kubectl.ts';
import {
  argoHealth,
  findJudges,
  fluxHealth,
  type HealthCheck,
  readManifests,
} from './testing/gitops/judges.ts';
import { GroupStory } from './testing/gitops/statuses.ts';

const ROOT = join(import.meta.dirname, '..');

/** Two to three minutes of Go the first time; without Go nothing is judged. */
const { argo, flux, skip } = await findJudges();

let cluster: Cluster;
let client: KubeClient;
let config: Record<string, string>;
let checks: HealthCheck[];
let number = 0;

before(async () => {
  if (skip !== false) return;
  ({ data: config } = parse(await readFile(join(ROOT, 'examples/argo-cd/argocd-cm.yaml'), 'utf8')));
  const [policy] = await manifests('flux/policy.yaml');
  checks = (policy as { spec: { healthCheckExprs: HealthCheck[] } }).spec.healthCheckExprs;
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 1000 });
  await run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, 'apply', '-f', join(ROOT, 'crds')]);
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

async function manifests(file: string): Promise<unknown[]> {
  return parseAllDocuments(await readFile(join(ROOT, 'examples', file), 'utf8')).map((each) => each.toJS());
}

/** An object as the API server stores it; with a status as an operator writes it. */
async function stored<T extends KubeObject>(
  kind: Kind,
  { spec, status }: { spec?: unknown; status?: (object: T) => object } = {},
): Promise<T> {
  const name = `${kind.toLowerCase()}-${(number += 1)}`;
  const made = { ...SAMPLES[kind], ...(spec === undefined ? {} : { spec }), metadata: { name } };
  let object: T | undefined;
  await until(`${kind} is served`, async () => {
    object = await client.create<T>(resourcePath(kind), { apiVersion: API_VERSION, kind, ...made });
    return true;
  });
  assert.ok(object);
  if (status === undefined) return object;
  const path = `${resourcePath(kind, name)}/status`;
  return client.mergePatch<T>(path, { status: status(object) });
}

/** What kstatus, Flux with our checks and Argo CD with our scripts say of it. */
async function verdicts(object: KubeObject): Promise<[kstatus: string, flux: string, argo: string]> {
  const [byRules] = await fluxHealth(flux, [], [object]);
  const [byChecks] = await fluxHealth(flux, checks, [object]);
  const [byLua] = await argoHealth(argo, config, [object]);
  return [byRules?.status ?? '', byChecks?.status ?? '', byLua?.status ?? ''];
}

function synced(channel: UpdateChannel): object {
  return channelStatus(channel, '2026-11-21T06:00:00Z');
}

function atNoon(window: RebootWindow): object {
  return windowStatus(window, Date.parse('2026-11-21T12:00:00Z')).status;
}

async function groupVerdicts(story: GroupStory, ...conflicts: { node: string; with: string[] }[]) {
  return verdicts(await stored('NodeGroup', { spec: story.spec, status: () => story.status(conflicts) }));
}

const WELL = ['Current', 'Current', 'Healthy'];
const UNDER_WAY = ['InProgress', 'InProgress', 'Progressing'];
const BROKEN = ['Failed', 'Failed', 'Degraded'];

suite('health, by the code of kstatus, Flux and Argo CD', { skip }, () => {
  for (const kind of ['UpdateChannel', 'NodeGroup', 'RebootLock', 'RebootWindow'] as const) {
    test(`a fresh ${kind} is in progress until its operator has seen it`, async () => {
      assert.deepEqual(await verdicts(await stored(kind)), UNDER_WAY);
    });
  }

  test('a changed object is in progress until its operator has seen the change', async () => {
    const releases = [{ version: '2.0.0', payload: { manifest: 'https://images.example.org/2.0.0.json' } }];
    const spec = { source: { releases }, keys: [`RW${'A'.repeat(54)}`] };
    const channel = await stored<UpdateChannel>('UpdateChannel', { spec, status: synced });
    assert.deepEqual(await verdicts(channel), WELL);
    const path = resourcePath('UpdateChannel', channel.metadata.name);
    const changed = await client.mergePatch<UpdateChannel>(path, { spec: { blocked: ['9.9.9'] } });
    assert.deepEqual(await verdicts(changed), UNDER_WAY);
  });

  test('a channel, and a window that is closed for now, are well', async () => {
    const window = await stored<RebootWindow>('RebootWindow', { status: atNoon });
    assert.equal(window.status?.open, false);
    assert.deepEqual(await verdicts(window), WELL);
  });

  test('a window that cannot be understood has failed', async () => {
    const spec = { nodeSelector: {}, allow: [{ start: '04:00', duration: '1h', timeZone: 'Mars/Olympus' }] };
    assert.deepEqual(await verdicts(await stored('RebootWindow', { spec, status: atNoon })), BROKEN);
  });

  test('a group without a rollout is well, and so is one that has arrived', async () => {
    assert.deepEqual(await groupVerdicts(new GroupStory().publish('1.0.0')), WELL);
    const story = new GroupStory().publish('1.0.0').work().publish('1.0.0', '2.0.0').work();
    assert.deepEqual(await groupVerdicts(story), WELL);
  });

  test('a rollout that is under way, or waits for its window, holds nothing up', async () => {
    const story = new GroupStory().publish('1.0.0').work().publish('1.0.0', '2.0.0');
    assert.deepEqual(await groupVerdicts(story), WELL);
    assert.deepEqual(await groupVerdicts(story.step()), WELL);
    assert.equal(story.status().conditions?.find(({ type }) => type === 'Progressing')?.status, 'True');
  });

  test('a halted rollout is Degraded and fails the checks, though the policy is enforced', async () => {
    const story = new GroupStory({}, 'bad-boot').publish('1.0.0').work().publish('1.0.0', '2.0.0').work();
    assert.deepEqual(await groupVerdicts(story), ['Current', 'Failed', 'Degraded']);
  });

  test('nodes that two groups claim are a fault of the policy', async () => {
    const story = new GroupStory().publish('1.0.0');
    assert.deepEqual(await groupVerdicts(story, { node: 'x', with: ['other'] }), [
      'Current',
      'Failed',
      'Degraded',
    ]);
  });

  test('a paused rollout is suspended, which people asked for', async () => {
    const story = new GroupStory({ paused: true }).publish('1.0.0', '2.0.0');
    assert.deepEqual(await groupVerdicts(story), ['Current', 'Current', 'Suspended']);
  });

  test('a group whose target cannot be had has failed', async () => {
    assert.deepEqual(await groupVerdicts(new GroupStory({ version: '9.9.9' }).publish('1.0.0')), BROKEN);
  });
});

suite('the examples, read by the code of the tool that they are for', { skip }, () => {
  test('Argo CD knows every field of its Applications', async () => {
    const applications = [
      ...(await manifests('argo-cd/careen.yaml')),
      ...(await manifests('argo-cd/policy.yaml')),
    ];
    await readManifests(argo, applications);
    await assert.rejects(readManifests(argo, [{ kind: 'Application', spec: { projekt: 'x' } }]), /projekt/);
  });

  test('Flux knows every field of its kinds', async () => {
    const files = ['flux/source.yaml', 'flux/careen.yaml', 'flux/policy.yaml'];
    const all = (await Promise.all(files.map(manifests))).flat();
    await readManifests(
      flux,
      all.filter((each) => (each as KubeObject).kind !== 'Namespace'),
    );
    await assert.rejects(readManifests(flux, [{ kind: 'HelmRelease', spec: { waits: true } }]), /waits/);
  });

  test("Argo CD's script serves every kind that is written by people", () => {
    const kinds = Object.keys(config).map((key) =>
      key.replace('resource.customizations.health.careen.dev_', ''),
    );
    assert.deepEqual(kinds.toSorted(), ['NodeGroup', 'RebootLock', 'RebootWindow', 'UpdateChannel']);
  });
});
