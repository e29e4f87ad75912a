import assert from 'node:assert/strict';
import { test } from 'node:test';
import { node, nodeConfig, nothing, type GivenSpec } from '../testing/node-config.ts';
import { fill } from './fill.ts';
import type { NotRendered } from './rendered.ts';
import { renderSet } from './render-set.ts';

const render = (...specs: GivenSpec[]) =>
  renderSet(
    specs.map((spec, index) => nodeConfig('abc'[index] ?? '', spec)),
    nothing,
  );

function refused(...specs: GivenSpec[]): NotRendered {
  const found = render(...specs);
  assert.ok(!found.ok);
  return found;
}

function document(...specs: GivenSpec[]) {
  const found = render(...specs);
  assert.ok(found.ok, found.ok ? '' : found.message);
  return found.document;
}

const file = (path: string, contents: string) => ({ files: [{ path, contents }] });
const unit = (name: string, more: object) => ({ units: [{ name, ...more }] });
const X = '/etc/systemd/system/x.service';

test('one thing by two names is one conflict that names both (A14)', () => {
  const pairs: [string, GivenSpec, GivenSpec][] = [
    ['unit x.service', unit('x.service', { contents: 'a' }), file(X, 'b')],
    [
      'drop-in 1.conf of unit x.service',
      unit('x.service', { dropins: [{ name: '1.conf', contents: 'a' }] }),
      file(`${X}.d/1.conf`, 'b'),
    ],
    [
      'whether unit x.service is masked',
      unit('x.service', { mask: true }),
      unit('x.service', { state: 'Started' }),
    ],
    ['whether unit x.service is masked', { links: [{ path: X, target: '/dev/null' }] }, file(X, 'b')],
    [
      'whether unit x.service runs',
      unit('x.service', { state: 'Stopped' }),
      unit('x.service', { state: 'Started' }),
    ],
    [
      'sysctl net/ipv4/ip_forward',
      { sysctls: { 'net.ipv4.ip_forward': '1' } },
      { sysctls: { 'net/ipv4/ip_forward': '0' } },
    ],
    [
      'sysctl vm/swappiness',
      { sysctls: { 'vm.swappiness': '1' } },
      file('/etc/sysctl.d/1.conf', '# x\nvm.swappiness=60\n'),
    ],
    ['file /etc/hostname', { hostname: 'a' }, file('/etc/hostname', 'b\n')],
    ['link /etc/localtime', { timezone: 'UTC' }, { links: [{ path: '/etc/localtime', target: 'x' }] }],
    [
      'path /etc/sysctl.d/99-zz-careen.conf',
      { sysctls: { 'a.b': '1' } },
      file('/etc/sysctl.d/99-zz-careen.conf', ''),
    ],
    ['path /etc/a/b below file /etc/a', file('/etc/a', ''), { directories: [{ path: '/etc/a/b' }] }],
    ['path /etc/a', file('/etc/a', ''), { directories: [{ path: '/etc/a' }] }],
    [
      'kernel argument quiet',
      { kernelArguments: { add: ['quiet'] } },
      { kernelArguments: { remove: ['quiet'] } },
    ],
    ['kernel argument a=…', { kernelArguments: { add: ['a=1'] } }, { kernelArguments: { add: ['a=2'] } }],
  ];
  for (const [what, one, other] of pairs) {
    assert.deepEqual(refused(one, other).conflicts, [{ what, owners: ['a', 'b'] }], what);
    assert.deepEqual(refused(other, one).conflicts, [{ what, owners: ['a', 'b'] }], what);
  }
});

test('a unit that Alias= or a link gives another name is the same unit (A14)', () => {
  const alias = unit('x.service', { contents: '[Install]\nAlias=y.service\n', state: 'Stopped' });
  const link = {
    ...unit('x.service', { state: 'Stopped' }),
    links: [{ path: '/etc/systemd/system/y.service', target: 'x.service' }],
  };
  for (const one of [alias, link]) {
    const found = refused(one, unit('y.service', { state: 'Started' })).conflicts;
    assert.ok(
      found.some(({ what, owners }) => what === 'whether unit x.service runs' && owners.join() === 'a,b'),
    );
  }
});

test('a unit is masked, and not, as the higher priority says (A13)', () => {
  const masked = document(
    { ...unit('x.service', { mask: true }), priority: 1 },
    unit('x.service', { contents: '[Install]', enabled: true, state: 'Started' }),
  );
  assert.deepEqual(
    masked.links.map(({ path, target }) => [path, target]),
    [[X, '/dev/null']],
  );
  assert.deepEqual(masked.files, []);
  assert.deepEqual(masked.units, [{ drift: 'Heal', from: ['a', 'b'], mask: true, name: 'x.service' }]);
  const used = document(unit('x.service', { mask: true }), {
    ...unit('x.service', { contents: 'y' }),
    priority: 1,
  });
  assert.deepEqual(used.links, []);
  assert.deepEqual(
    used.files.map(({ path }) => path),
    [X],
  );
});

test('a unit that is enabled and that nothing would start is refused (A13)', () => {
  const [problem] = refused(unit('x.service', { enabled: true, contents: '[Service]\n' })).problems;
  assert.equal(problem?.place, 'units[x.service].enabled');
  document(unit('x.service', { enabled: true }));
});

test('a drop-in for a unit of the distribution is no more than a drop-in (A13)', () => {
  const { files, units } = document(unit('x.service', { dropins: [{ name: '1.conf', contents: '' }] }));
  assert.deepEqual(
    files.map(({ path }) => path),
    [`${X}.d/1.conf`],
  );
  assert.deepEqual(units, [{ drift: 'Heal', from: ['a'], mask: false, name: 'x.service' }]);
});

test('a config that contradicts itself is wrong, and no conflict with anybody', () => {
  const found = refused({ ...unit('x.service', { contents: 'a' }), ...file(X, 'b') });
  assert.deepEqual(found.conflicts, []);
  assert.deepEqual(
    found.problems.map(({ config, place }) => [config, place]),
    [['a', 'unit x.service']],
  );
});

test('an unknown value is refused where it stands, and one that a place does not fill in as well', () => {
  const { problems } = refused({
    ...file('/etc/a', '${node.nmae}'),
    hostname: '${node.uid}',
    sysctls: { 'a.b': '${node.name}' },
  });
  assert.deepEqual(
    problems.map(({ place }) => place),
    ['files[/etc/a].contents', 'hostname', 'sysctls[a.b]'],
  );
});

test('a host name that a label makes is judged when it is filled in', () => {
  const found = render({ hostname: '${node.label["x"]}' });
  assert.ok(found.ok);
  const good = fill(found, node('n', { x: 'one' }), nothing);
  assert.equal(good.ok && good.document.hostname, 'one');
  const bad = fill(found, node('n', { x: 'a_b' }), nothing);
  assert.equal(!bad.ok && bad.reason, 'ConfigInvalid');
  const missing = fill(found, node('n'), nothing);
  assert.equal(!missing.ok && missing.reason, 'ValueMissing');
});

test('an Ignition document joins its config, and is refused with its line where it goes beyond', () => {
  const head = '{"ignition": {"version": "3.4.0"},\n';
  const { files } = document({
    ...file('/etc/a', 'a'),
    ignition: `${head}"storage": {"files": [{"path": "/etc/b", "mode": 384, "contents": {"source": "data:,$%7Bnode.name%7D"}}]}}`,
  });
  assert.deepEqual(
    files.map(({ path, mode, content }) => [path, mode, content]),
    [
      ['/etc/a', '0644', { text: 'a' }],
      ['/etc/b', '0600', { text: '$${node.name}' }],
    ],
  );
  const { problems } = refused({ ignition: `${head}"storage": {"disks": [{"device": "/dev/sda"}]}}` });
  assert.deepEqual(
    problems.map(({ place }) => place),
    ['ignition: line 2: storage.disks'],
  );
});

function big(name: string): GivenSpec {
  return {
    files: Array.from({ length: 3 }, (_, index) => ({
      path: `/etc/${name}${index}`,
      contents: 'x'.repeat(250_000 - index),
    })),
  };
}

test('configs that together are too large are refused, and the largest named (A25)', () => {
  const { reason, message } = refused(big('a'), big('b'));
  assert.equal(reason, 'TooLarge');
  assert.match(message, /the largest are \/etc\/a0 of a \(245 KiB\), \/etc\/b0 of b/);
});
