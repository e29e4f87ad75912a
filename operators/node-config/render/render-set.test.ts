import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDocument } from '#api/config-document.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import { node, nodeConfig, nothing, type GivenSpec } from '../testing/node-config.ts';
import type { Conflict, NotRendered, RenderedDocument } from './rendered.ts';
import { fill } from './fill.ts';
import { renderSet } from './render-set.ts';

function rendered(...specs: GivenSpec[]): RenderedDocument {
  const found = renderSet(
    specs.map((spec, index) => nodeConfig('abc'[index] ?? '', spec)),
    nothing,
  );
  assert.ok(found.ok, found.ok ? '' : found.message);
  return found;
}

function refused(...specs: GivenSpec[]): NotRendered {
  const found = renderSet(
    specs.map((spec, index) => nodeConfig('abc'[index] ?? '', spec)),
    nothing,
  );
  assert.ok(!found.ok);
  return found;
}

const conflicts = (...specs: GivenSpec[]): readonly Conflict[] => refused(...specs).conflicts;

const file = (contents: string, path = '/etc/motd') => ({ files: [{ path, contents }] });

test('a config with every field there is becomes a document that the agent takes', () => {
  const { ignition: _, ...spec } = SAMPLES.NodeConfig.spec;
  const { files, ...rest } = spec as GivenSpec;
  const { document } = rendered({
    ...rest,
    files: files?.filter(({ path }) => path !== '/etc/hosts.d') ?? [],
  });
  assert.deepEqual(configDocument.parse(document), document);
});

test('units, settings, host name and time zone become files and links', () => {
  const { document } = rendered({
    units: [{ name: 'a.service', contents: '[Service]', dropins: [{ name: '1.conf', contents: '[Unit]' }] }],
    sysctls: { 'net/ipv4/ip_forward': '1', 'net.ipv4.conf.eth0/1.rp_filter': ' 2 ' },
    kernelModules: ['br-netfilter'],
    hostname: 'one',
    timezone: 'Europe/Berlin',
  });
  assert.deepEqual(
    document.files.map(({ path, content }) => [path, 'text' in content && content.text]),
    [
      ['/etc/hostname', 'one\n'],
      [
        '/etc/modules-load.d/careen.conf',
        '# Made by careen of what NodeConfigs say; changes here are lost.\nbr_netfilter\n',
      ],
      [
        '/etc/sysctl.d/99-zz-careen.conf',
        '# Made by careen of what NodeConfigs say; changes here are lost.\nnet/ipv4/conf/eth0.1/rp_filter = 2\nnet.ipv4.ip_forward = 1\n',
      ],
      ['/etc/systemd/system/a.service', '[Service]'],
      ['/etc/systemd/system/a.service.d/1.conf', '[Unit]'],
    ],
  );
  assert.deepEqual(
    document.links.map(({ path, target }) => [path, target]),
    [['/etc/localtime', '../usr/share/zoneinfo/Europe/Berlin']],
  );
  assert.equal(document.hostname, 'one');
});

test('two configs that want a file differently are a conflict that names both (A14)', () => {
  assert.deepEqual(conflicts(file('one'), file('two')), [{ what: 'file /etc/motd', owners: ['a', 'b'] }]);
});

test('of two configs the higher priority has its way, whatever their names are', () => {
  const { document } = rendered({ ...file('one'), priority: 1 }, file('two'));
  assert.deepEqual(
    document.files.map(({ content, from }) => [content, from]),
    [[{ text: 'one' }, ['a']]],
  );
});

test('two configs that want the same own it both, however they write it', () => {
  const { document } = rendered(
    { files: [{ path: '/etc/motd', contents: 'x', mode: '644', user: '0' }] },
    { files: [{ path: '/etc/motd', contentsBase64: 'eA==', mode: '0644', user: 'root' }] },
  );
  assert.deepEqual(
    document.files.map(({ mode, user, from }) => [mode, user, from]),
    [['0644', 'root', ['a', 'b']]],
  );
});

test('a config that goes leaves a path to the other that owns it (A15)', () => {
  const both = rendered(file('same'), file('same')).document.files;
  const one = rendered(file('same')).document.files;
  assert.deepEqual(one, [{ ...both[0], from: ['a'] }]);
});

test('values of the node are filled in, and only those', () => {
  const found = rendered(file('${node.name} $${node.name} ${HOME} $${HOME} ${node.label["zone"]}'));
  const filled = fill(found, node('n1', { zone: 'z' }), nothing);
  assert.ok(filled.ok);
  assert.deepEqual(filled.document.files[0]?.content, { text: 'n1 ${node.name} ${HOME} $${HOME} z' });
});
