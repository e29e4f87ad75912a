import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { root } from '#scripts/tool.ts';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { Authority } from '#test/cluster/pki.ts';
import { buildImages, type BuiltImages } from './build-images.ts';
import { inImage } from './in-image.fixture.ts';
import { digestOf } from './oci/descriptor.ts';
import type { BillOfMaterials } from './sbom/bill-of-materials.ts';
import { unpackImage, type UnpackedImage } from './unpacked-image.fixture.ts';

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root: owners of files, chroot, namespaces' };
const run = promisify(execFile);

let work: GuardedDirectory;
let built: BuiltImages;
let operators: UnpackedImage;
let agent: UnpackedImage;

before(async () => {
  work = await guardedDirectory('careen-images-test-');
  built = await buildImages({ directory: path.join(work.path, 'one') });
  operators = await unpackImage(built.operators, path.join(work.path, 'operators'));
  agent = await unpackImage(built.agent, path.join(work.path, 'agent'));
});

after(() => work.remove());

test('the same bytes come out elsewhere: directory, umask, time zone, language, nothing cached', async () => {
  const cache = path.join(work.path, 'cache');
  // What was fetched may stay; what was made is made again.
  for (const kept of ['debian', 'node']) {
    const to = path.join(cache, 'careen', kept);
    await cp(path.join(cacheDirectory(), kept), to, { recursive: true, filter: (file) => !isOnItsWay(file) });
  }
  const temporary = path.join(work.path, 'elsewhere');
  await mkdir(temporary);
  const other = path.join(work.path, 'other');
  const env = {
    ...process.env,
    TZ: 'Asia/Tokyo',
    LC_ALL: 'C.UTF-8',
    XDG_CACHE_HOME: cache,
    TMPDIR: temporary,
    GZIP: '-1',
  };
  const shell = 'umask 077; exec "$0" "$@"';
  const args = ['-c', shell, process.execPath, 'scripts/images.ts', '--directory', other];
  const { stdout } = await run('/bin/sh', args, { cwd: root, env });
  assert.match(stdout, /both together +\d+\.\d MB/);
  for (const { archive, bill } of built.images) {
    for (const file of [archive.path, bill]) {
      assert.equal(await digest(path.join(other, path.basename(file))), await digest(file), file);
    }
  }
});

test('both images have the same base, and each is at most 50 MB', () => {
  assert.deepEqual(operators.layers[0], agent.layers[0]);
  for (const { layers } of [operators, agent]) {
    assert.ok(layers.reduce((sum, { size }) => sum + size, 0) <= 50e6);
  }
});

test('an image holds its programs, Node, the libraries that Node needs, and nothing else', () => {
  const base = [
    'etc/group',
    'etc/nsswitch.conf',
    'etc/passwd',
    'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    'lib/x86_64-linux-gnu/libatomic.so.1',
    'lib/x86_64-linux-gnu/libc.so.6',
    'lib/x86_64-linux-gnu/libdl.so.2',
    'lib/x86_64-linux-gnu/libgcc_s.so.1',
    'lib/x86_64-linux-gnu/libm.so.6',
    'lib/x86_64-linux-gnu/libpthread.so.0',
    'lib/x86_64-linux-gnu/libstdc++.so.6',
    'lib64/ld-linux-x86-64.so.2',
    'usr/bin/node',
  ];
  assert.deepEqual(files(agent), ['app/agent.mjs', ...base]);
  const programs = files(operators).filter((name) => !base.includes(name));
  assert.deepEqual(files(operators), [...programs, ...base]);
  assert.ok(programs.every((name) => /^app\/[a-z-]+\.mjs$/.test(name) && name !== 'app/agent.mjs'));
  for (const name of ['app/node-config.mjs', 'app/reboot-lock.mjs', 'app/update.mjs'])
    assert.ok(programs.includes(name), name);
});

test('every library that Node asks for is there, and those that they ask for', async () => {
  const libraries = path.join(agent.root, 'lib/x86_64-linux-gnu');
  const names = await readdir(libraries);
  const files = [path.join(agent.root, 'usr/bin/node'), ...names.map((name) => path.join(libraries, name))];
  const { stdout } = await run('readelf', ['--dynamic', '--wide', ...files]);
  const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name);
  assert.deepEqual(new Set(needed), new Set(names));
});

test('all files are root’s, programs alone may be run, and only /tmp may be written', asRoot, () => {
  for (const { path: name, mode, owner, content } of [...operators.entries, ...agent.entries]) {
    assert.equal(owner, '0:0', name);
    const isProgram = content === '' || name === 'usr/bin/node' || name.endsWith('/ld-linux-x86-64.so.2');
    const expected = name === 'tmp' ? 0o1777 : name.startsWith('lib64/') ? 0o777 : isProgram ? 0o755 : 0o644;
    assert.equal(mode.toString(8), expected.toString(8), name);
  }
});

test('the operators are nobody and the agent is root; both tell how they are used', asRoot, async () => {
  for (const [{ config, root: directory }, user] of [
    [operators, '65532:65532'],
    [agent, '0:0'],
  ] as const) {
    assert.equal(config['User'], user);
    const command = [...(config['Entrypoint'] as string[]), ...(config['Cmd'] as string[])];
    assert.match(await inImage(directory, user, command), /--kubeconfig/);
  }
});

test('every program runs as the chart starts it, on a root that cannot be written', asRoot, async () => {
  for (const { root: directory, config } of [operators, agent]) {
    for (const program of await readdir(path.join(directory, 'app'))) {
      const said = await inImage(directory, config['User'] as string, ['node', `/app/${program}`, '--help']);
      assert.match(said, /Usage: careen-/, program);
    }
  }
});

test('Node is the pinned one, knows its user, and finds no shell', asRoot, async () => {
  const version = await inImage(operators.root, '65532:65532', ['node', '--version']);
  assert.equal(version, `${process.version}\n`);
  const code =
    'console.log(os.userInfo().username, os.tmpdir(), Intl.DateTimeFormat("en", {timeZone: "Asia/Tokyo"}).resolvedOptions().timeZone)';
  assert.equal(
    await inImage(operators.root, '65532:65532', ['node', '-e', code]),
    'nonroot /tmp Asia/Tokyo\n',
  );
  const shell = 'console.log(child_process.spawnSync("/bin/sh").error.code)';
  assert.equal(await inImage(operators.root, '65532:65532', ['node', '-e', shell]), 'ENOENT\n');
});

test(
  'names are resolved and https is spoken, with the authorities that Node brings and those it is given',
  asRoot,
  async () => {
    const etc = path.join(agent.root, 'etc');
    const authority = await Authority.create('payloads');
    const { cert, key } = await authority.issueServer({ dns: ['payloads.example'], ip: [] });
    const files = { 'server.crt': cert, 'server.key': key, 'extra.crt': authority.certPem };
    // As a kubelet mounts it.
    const given = { ...files, 'resolv.conf': 'nameserver 127.0.0.1\n', hosts: '127.0.0.1 localhost\n' };
    for (const [name, text] of Object.entries(given)) await writeFile(path.join(etc, name), text);
    await cp(
      path.join(import.meta.dirname, 'https-in-image.fixture.mjs'),
      path.join(agent.root, 'app/fetch.mjs'),
    );
    const env = { NODE_EXTRA_CA_CERTS: '/etc/extra.crt' };
    const said = await inImage(agent.root, '0:0', ['node', '/app/fetch.mjs'], env);
    const { body, authorities } = JSON.parse(said) as { body: string; authorities: number };
    assert.equal(body, 'a payload');
    assert.ok(authorities > 100);
  },
);

test('a bill of materials is valid and lists what is in its image', async () => {
  for (const [at, image] of [operators, agent].entries()) {
    const { archive, bill } = built.images[at] ?? assert.fail();
    const text = await readFile(bill, 'utf8');
    assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(text), null);
    const { metadata, components } = JSON.parse(text) as BillOfMaterials;
    assert.equal(`sha256:${metadata.component.hashes?.[0]?.content}`, archive.manifest.digest);
    const listed = (type: string) => components.filter(({ purl }) => purl?.startsWith(`pkg:${type}/`));
    assert.deepEqual(
      listed('npm')
        .map(({ name, version }) => `${name.replace('/', '+')}@${version}`)
        .toSorted(),
      (await readdir(path.join(image.root, 'licenses/npm'))).toSorted(),
    );
    assert.equal(components.find(({ name }) => name === 'node')?.version, process.versions.node);
    assert.ok(listed('deb').some(({ name }) => name === 'libc6'));
    assert.ok(components.every(({ licenses }) => licenses !== undefined));
  }
});

/** Somebody else is putting it into the cache: it has another name in a moment. */
function isOnItsWay(file: string): boolean {
  return /\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(file);
}

function files({ entries }: UnpackedImage): string[] {
  const names = entries.filter(({ content }) => content !== '').map((entry) => entry.path);
  return names.filter((name) => !name.startsWith('licenses/'));
}

async function digest(file: string): Promise<string> {
  return digestOf(await readFile(file));
}
