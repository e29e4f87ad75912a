import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { API_VERSION, resourcePath } from '#api/group.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import type { KubeObject } from '#api/meta.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { run } from '#test/stack/kubectl.ts';
import { DEPLOY, renderPlainFiles } from './generate.ts';

const CAREEN = join(DEPLOY, 'careen.yaml');

let cluster: Cluster;
let client: KubeClient;

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 1000 });
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

function kubectl(...args: string[]): Promise<string> {
  return run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args]);
}

async function kinds(): Promise<string[]> {
  return parseAllDocuments(await readFile(CAREEN, 'utf8')).map((document) => String(document.get('kind')));
}

/**
 * Which state each object's spec is in. (kubectl says "configured" of lists that the server completed; and statuses
 * move by themselves, so where there is a generation it counts.)
 */
async function versions(): Promise<Record<string, unknown>> {
  const { items } = JSON.parse(await kubectl('get', '--filename', CAREEN, '--output', 'json')) as {
    items: KubeObject[];
  };
  return Object.fromEntries(
    items.map(({ kind, metadata }) => [
      `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      metadata.generation ?? [metadata.uid, metadata.labels],
    ]),
  );
}

/** One line for each object: what was done to it. */
function outcomes(said: string): string[] {
  return said
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1) ?? '');
}

suite('deploy/', () => {
  test('is what the chart gives now', async () => {
    for (const [name, wanted] of await renderPlainFiles(cluster.tools.helm))
      assert.equal(await readFile(join(DEPLOY, name), 'utf8'), wanted, `${name}: run \`npm run generate\``);
  });

  test('a first apply makes everything in one go, a second one changes nothing', async () => {
    const made = outcomes(await kubectl('apply', '--validate=strict', '--filename', CAREEN));
    assert.deepEqual(new Set(made), new Set(['created']));
    assert.equal(made.length, (await kinds()).length);
    const before = await versions();
    await kubectl('apply', '--filename', CAREEN);
    assert.deepEqual(await versions(), before);
  });

  test('the kinds are served then, and the namespaces have their pod security levels', async () => {
    await until('a group can be made', async () => {
      const group = { apiVersion: API_VERSION, kind: 'NodeGroup', ...SAMPLES.NodeGroup };
      await client.create(resourcePath('NodeGroup'), group);
      return true;
    });
    for (const [name, level] of [
      ['careen-system', 'restricted'],
      ['careen-agent', 'privileged'],
    ] as const) {
      const { metadata } = await client.get<KubeObject>(`/api/v1/namespaces/${name}`);
      assert.equal(metadata.labels?.['pod-security.kubernetes.io/enforce'], level);
    }
  });

  test('as a kustomization it is the same', async () => {
    const before = await versions();
    const said = await kubectl('apply', '--kustomize', DEPLOY);
    assert.ok(!outcomes(said).includes('created'), said);
    assert.deepEqual(await versions(), before);
  });

  test('server-side apply takes it as well, over what client-side apply left', async () => {
    const flags = ['--server-side', '--force-conflicts', '--filename', CAREEN];
    assert.deepEqual(new Set(outcomes(await kubectl('apply', ...flags))), new Set(['serverside-applied']));
  });

  test('leave.yaml is what Helm would run before an uninstall', async () => {
    const said = await kubectl('apply', '--validate=strict', '--filename', join(DEPLOY, 'leave.yaml'));
    assert.match(said, /^job.batch\/careen-leave created$/m);
  });
});
