import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ConfigDocument } from '#api/config-document.ts';
import { until } from '#test/cluster/until.ts';
import { leaksOf, plantedSecret } from '#test/leaks/leaks.ts';
import { ConfigBench } from '#agent/testing/config-bench.ts';
import { documentOf, file } from './testing/document.ts';

const SECRET = plantedSecret('agent');

/** The agent on a machine without systemd, and a real API server: files, grants, phases. */
let bench: ConfigBench;

before(async () => {
  bench = await ConfigBench.start();
});
after(() => bench?.stop());

/** What passes does so soon, but for a busy computer. */
const quick = { confirm: { timeout: '5m', settle: '1s' } };

function motd(text: string, more: Partial<ConfigDocument> = {}): ConfigDocument {
  return { ...documentOf({ files: [file('/etc/motd', text)] }), ...quick, ...more };
}

const drains: ConfigDocument['disruption'] = [{ match: { path: '/etc/motd' }, action: 'Drain' }];
const reboots: ConfigDocument['disruption'] = [{ match: { path: '/etc/motd' }, action: 'Reboot' }];

test('a node of which nothing is wanted says that it is idle', async () => {
  const { plan, error } = await bench.phase('Idle');
  assert.deepEqual({ plan, error }, { plan: undefined, error: undefined });
});

test('what is wanted is planned, shown, and touches nothing until the agent is told to apply it', async () => {
  const document = motd('one\n');
  const hash = await bench.want(document, { apply: false });
  const { plan } = await bench.phase('Planned', hash);
  assert.deepEqual(
    plan?.changes.map(({ kind, name, change }) => `${change} ${kind} ${name}`),
    ['Create File /etc/motd'],
  );
  assert.equal(existsSync(join(bench.machine.root, 'etc/motd')), false);
  await bench.want(document, { generation: 1 });
  const { applied, appliedRendered } = await bench.phase('Applied', hash);
  assert.equal(await bench.file('etc/motd'), 'one\n');
  assert.deepEqual({ applied, appliedRendered }, { applied: hash, appliedRendered: 'rendered-1' });
});

test('a change that needs a drain waits for one, says when it acts on it, and asks no more when it is in force', async () => {
  const hash = await bench.want(motd('two\n', { disruption: drains }));
  await bench.phase('Waiting', hash);
  assert.equal(await bench.file('etc/motd'), 'one\n');
  const { reboot } = (await bench.read()).status ?? {};
  assert.deepEqual([reboot?.requested, reboot?.kind], [true, 'Drain']);
  const id = await bench.grant('drain');
  const { lastGood } = await bench.phase('Applied', hash);
  assert.equal(await bench.file('etc/motd'), 'two\n');
  assert.notEqual(lastGood, undefined);
  const after = (await bench.read()).status?.reboot;
  assert.deepEqual([after?.requested, after?.accepted], [false, id]);
});

test('a change that needs a reboot is made before it and counts after it; a drain is not enough for it', async () => {
  const hash = await bench.want(motd('three\n', { disruption: reboots }));
  await bench.phase('Waiting', hash);
  await bench.grant('drain');
  await until('the grant is ignored', () => bench.machine.logged('allows no reboot'));
  await bench.grant('reboot');
  // Told before the agent ends, which it does as soon as the machine goes down.
  await bench.phase('Applying', hash);
  await bench.machine.goDown();
  assert.equal(await bench.file('etc/motd'), 'three\n');
  assert.equal((await bench.read()).status?.config?.phase, 'Applying');
  await bench.machine.boot();
  await bench.phase('Applied', hash);
  assert.equal((await bench.read()).status?.reboot?.requested, false);
});

test('a probe that never passes undoes the change, and it is not tried again until its generation is raised', async () => {
  const probes: ConfigDocument['probes'] = [{ name: 'never', command: { argv: ['false'] }, timeout: '2s' }];
  const confirm = { timeout: '3s', settle: '1s' };
  const document = motd('four\n', { probes, confirm });
  const hash = await bench.want(document);
  const { error, applied } = await bench.phase('Reverted', hash);
  assert.equal(error?.code, 'ProbeFailed');
  assert.match(error.message, /never: ended with 1/);
  assert.notEqual(applied, hash);
  assert.equal(await bench.file('etc/motd'), 'three\n');
  await bench.want(document);
  const { spec } = await bench.read();
  await bench.phase('Reverted', hash, spec.config?.generation);
});

test('an agent that is killed while a change waits for its confirmation goes on from there (A19)', async () => {
  const probes: ConfigDocument['probes'] = [
    { name: 'later', command: { argv: ['test', '-e', join(bench.directory, 'later')] }, timeout: '2s' },
  ];
  const hash = await bench.want(motd('five\n', { probes }));
  await bench.phase('Confirming', hash);
  await bench.machine.stopAgent('SIGKILL');
  assert.equal(await bench.file('etc/motd'), 'five\n');
  await writeFile(join(bench.directory, 'later'), '');
  bench.machine.startAgent();
  await bench.phase('Applied', hash);
});

test('what comes from an old backup is refused (A27), and what changes back and forth ends in the latest (A26)', async () => {
  await bench.want(motd('old\n'), { generation: 2 });
  const { error } = await bench.phase('Failed');
  assert.equal(error?.code, 'GenerationOld');
  const a = motd('a\n');
  await bench.want(a);
  await bench.want(motd('b\n'));
  const hash = await bench.want(a);
  // The first of them may be in force for a moment, and then the second.
  await until('the last is in force', async () => {
    const { status } = await bench.read();
    const isApplied = status?.config?.phase === 'Applied' && status.config.hash === hash;
    return isApplied && (await bench.file('etc/motd')) === 'a\n';
  });
});

function token(version: string, more: Partial<ConfigDocument> = {}): ConfigDocument {
  const secret = file('/etc/token', `${SECRET}${version}`, { mode: '0600', sensitive: true });
  return { ...documentOf({ files: [secret] }), ...quick, ...more };
}

/** Nothing but the file itself, and what only root can read, holds it. */
async function assertKept(): Promise<void> {
  const { root, logFile, agentPid } = bench.machine;
  const told = [
    JSON.stringify(await bench.read()),
    JSON.stringify(await bench.client.list('/apis/events.k8s.io/v1/events')),
    await readFile(logFile, 'utf8'),
    ...(await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${agentPid}/${name}`, 'utf8')),
    )),
  ];
  for (const text of told) assert.deepEqual(leaksOf(SECRET, text), []);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const holding: string[] = [];
  for (const path of files) {
    // Some of it goes while it is looked at.
    const stat = await lstat(path).catch(() => undefined);
    const found = leaksOf(SECRET, await readFile(path).catch(() => ''));
    if (stat === undefined || found.length === 0) continue;
    assert.equal(stat.mode & 0o077, 0, `${path} can be read by others`);
    assert.doesNotMatch(path, /journal/);
    holding.push(path);
  }
  assert.ok(holding.includes(join(root, 'etc/token')), holding.join(' '));
}

test('a secret stands in its file and in what only root can read, whatever becomes of the change (A22)', async () => {
  await bench.phase('Applied', await bench.want(token('one')));
  await assertKept();
  const probes: ConfigDocument['probes'] = [{ name: 'never', command: { argv: ['false'] }, timeout: '2s' }];
  const undone = await bench.want(token('two', { probes, confirm: { timeout: '20s', settle: '1s' } }));
  await bench.phase('Confirming', undone);
  await assertKept();
  await bench.phase('Reverted', undone);
  const validate = [{ path: '/etc/token', argv: ['grep', '-c', 'never', '{}'] }];
  await bench.phase('Failed', await bench.want(token('three', { validate })));
  await bench.phase('Applied', await bench.want(token('four')));
  await writeFile(join(bench.machine.root, 'etc/token'), 'theirs');
  await until('the file is healed', async () => (await bench.file('etc/token')) === `${SECRET}four`);
  await until('it is told', async () => ((await bench.read()).status?.config?.drift ?? []).length > 0);
  await assertKept();
});

test('when nothing is wanted any more, what careen put there goes', async () => {
  const { status } = await bench.read();
  await bench.tell({
    hash: null,
    rendered: null,
    generation: (status?.config?.generation ?? 0) + 1,
    apply: true,
  });
  await bench.phase('Idle');
  assert.equal(existsSync(join(bench.machine.root, 'etc/motd')), false);
});
