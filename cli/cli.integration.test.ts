import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { ConfigCluster } from '#operators/node-config/testing/config-cluster.ts';
import { LONG_LEASE } from '#operators/testing/replicas.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';

/** The program as a person starts it, on a real API server with the real operator. */

const PROGRAM = new URL('main.ts', import.meta.url).pathname;

let it: ConfigCluster;
let directory: GuardedDirectory;

before(async () => {
  directory = await guardedDirectory('careen-cli-');
  it = await ConfigCluster.start();
  await it.replica('a', ...LONG_LEASE); // nobody takes over here
  await Promise.all(['worker-1', 'worker-2'].map((name) => it.agents.join(name, { pool: 'workers' })));
  await it.apply('NodeConfig', 'base', spec('one'));
  await it.complete('base');
});

after(async () => {
  await it?.stop();
  await directory?.remove();
});

interface Ended {
  status: number;
  out: string;
  err: string;
}

function careen(...argv: string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const all = [PROGRAM, ...argv, '--kubeconfig', it.cluster.kubeconfig];
  execFile(process.execPath, all, (error, out, err) => {
    resolve({ status: error === null ? 0 : Number(error.code), out, err });
  });
  return promise;
}

function spec(motd: string) {
  return { nodeSelector: {}, files: [{ path: '/etc/motd', contents: `${motd} on \${node.name}\n` }] };
}

async function manifest(name: string, motd: string): Promise<string> {
  const file = join(directory.path, `${name}-${motd}.yaml`);
  const object = {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'NodeConfig',
    metadata: { name },
    spec: spec(motd),
  };
  await writeFile(file, stringify(object));
  return file;
}

test('what a node is given is shown as its agent is given it', async () => {
  const { status, out } = await careen('config', 'render', 'worker-2');
  assert.equal(status, 0);
  assert.match(out, /^# NodeConfigs: base$/m);
  assert.match(out, /one on worker-2/);
});

test('what applying a manifest would change is told node by node, and nothing is done', async () => {
  const { status, out } = await careen('config', 'diff', '--filename', await manifest('base', 'two'));
  assert.equal(status, 1, 'as diff(1): something differs');
  assert.match(out, /on worker-1:\n {2}file \/etc\/motd\n[^]*-one on worker-1\n {4}\+two on worker-1/);
  assert.match(out, /2 of 2 nodes would be given something else/);
  const same = await careen('config', 'diff', '--filename', await manifest('base', 'one'));
  assert.deepEqual([same.status, same.out], [0, '0 of 2 nodes would be given something else\n']);
});

test('a spec that was is shown in the history, and comes back', async () => {
  await it.apply('NodeConfig', 'base', spec('two'));
  await it.complete('base');
  const history = await careen('config', 'history', 'base');
  assert.deepEqual(
    history.out
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(/ {3,}/)[0]),
    ['2', '1'],
  );
  const dry = await careen('config', 'revert', 'base', '--dry-run');
  assert.match(dry.out, /^\+.*one on/m);
  assert.match(dry.out, /nothing was changed/);
  assert.match((await careen('config', 'revert', 'base')).out, /says again what it said at generation 1/);
  await it.complete('base');
  await until('nodes are given it again', async () =>
    (await careen('config', 'render', 'worker-1')).out.includes('one on worker-1'),
  );
});

test('the plan of each node is shown with what follows', async () => {
  const { status, out } = await careen('config', 'plan', 'worker-1');
  assert.equal(status, 0);
  assert.match(out, /^worker-1 {3}Applied/);
  const { out: json } = await careen('config', 'plan', '--output', 'json');
  assert.deepEqual(
    (JSON.parse(json) as { node: string }[]).map(({ node }) => node),
    ['worker-1', 'worker-2'],
  );
});

test('other formats become manifests, and what cannot be taken over is named with its line', async () => {
  const file = join(directory.path, 'Machine 1.bu');
  const disks = '  disks:\n    - device: /dev/sda\n';
  const butane = `variant: flatcar\nversion: 1.1.0\nstorage:\n${disks}  files:\n    - path: /etc/motd\n      contents: { inline: hello }\n`;
  await writeFile(file, butane);
  const refused = await careen('config', 'import', file);
  assert.equal(refused.status, 1);
  assert.equal(refused.out, '');
  assert.match(refused.err, /Machine 1\.bu:4:\d+: .*disks/);
  const { status, out } = await careen('config', 'import', file, '--skip-unsupported');
  assert.equal(status, 0);
  assert.match(out, /name: machine-1/);
  assert.match(out, /path: \/etc\/motd/);
});

test('what is not understood ends with 2, and a node that does not exist with 3, each in a line', async () => {
  assert.equal((await careen('config', 'plan', '--nonsense')).status, 2);
  const stray = await careen('config', 'render');
  assert.deepEqual(
    [stray.status, stray.err],
    [2, 'kubectl careen config render: it takes NODE (--help tells more)\n'],
  );
  const missing = await careen('config', 'render', 'nobody');
  assert.deepEqual(
    [missing.status, missing.err],
    [3, 'kubectl careen config render: there is no node nobody\n'],
  );
});
