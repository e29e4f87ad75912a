import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { importConfig } from '../import-config.ts';
import { read, refusals } from '../testing/read.ts';

const KEY = `ssh-rsa ${'A'.repeat(68)} me`;

test('a machine of CoreOS Container Linux', () => {
  const text = `#cloud-config

hostname: core-01
ssh-authorized-keys:
  - ${KEY}
users:
  - name: core
    ssh_authorized_keys: [${KEY.replace('me', 'again')}]
  - name: elroy
    ssh-authorized-keys: [${KEY}]
coreos:
  units:
    - name: docker-redis.service
      command: start
      enable: yes
      content: |
        [Unit]
        Description=Redis on $private_ipv4
        [Service]
        ExecStart=/usr/bin/docker run redis
        [Install]
        WantedBy=multi-user.target
    - name: docker.service
      drop-ins:
        - name: 50-insecure-registry.conf
          content: |
            [Service]
            Environment=OPTS=--insecure-registry=10.0.0.0/8
    - name: update-engine.service
      command: stop
    - name: locksmithd.service
      mask: true
write_files:
  - path: /etc/environment.d/10-proxy.conf
    permissions: "0600"
    owner: root:adm
    content: |
      HTTP_PROXY=http://$public_ipv4:3128
  - path: /opt/bin/b64
    permissions: 755
    encoding: gzip+base64
    content: ${gzipSync('#!/bin/sh\n').toString('base64')}
`;
  assert.deepEqual(read(text), {
    hostname: 'core-01',
    sshAuthorizedKeys: [
      { user: 'core', keys: [KEY, KEY.replace('me', 'again')] },
      { user: 'elroy', keys: [KEY] },
    ],
    units: [
      {
        name: 'docker-redis.service',
        contents:
          '[Unit]\nDescription=Redis on ${node.address.internal}\n[Service]\nExecStart=/usr/bin/docker run redis\n[Install]\nWantedBy=multi-user.target\n',
        enabled: true,
        state: 'Started',
      },
      {
        name: 'docker.service',
        dropins: [
          {
            name: '50-insecure-registry.conf',
            contents: '[Service]\nEnvironment=OPTS=--insecure-registry=10.0.0.0/8\n',
          },
        ],
      },
      { name: 'update-engine.service', state: 'Stopped' },
      { name: 'locksmithd.service', mask: true },
    ],
    files: [
      {
        path: '/etc/environment.d/10-proxy.conf',
        contents: 'HTTP_PROXY=http://${node.address.external}:3128\n',
        mode: '0600',
        user: 'root',
        group: 'adm',
      },
      { path: '/opt/bin/b64', contents: '#!/bin/sh\n', mode: '0755' },
    ],
  });
});

const reboots = (text: string) =>
  importConfig(`#cloud-config\ncoreos:\n${text}`, {
    name: 'core',
    nodeSelector: { matchLabels: { a: 'b' } },
  });

test('reboot strategy, group and window become a NodeGroup and a RebootWindow', () => {
  const text = `  update:
    reboot-strategy: etcd-lock
    group: stable
  locksmith:
    window-start: Thu 23:00
    window-length: 1h30m
`;
  const common = { apiVersion: 'careen.dev/v1alpha1', metadata: { name: 'core' } };
  const nodeSelector = { matchLabels: { a: 'b' } };
  assert.deepEqual(reboots(text), {
    objects: [
      {
        ...common,
        kind: 'NodeGroup',
        spec: { nodeSelector, update: { channel: 'stable' }, reboot: { strategy: 'lock' } },
      },
      {
        ...common,
        kind: 'RebootWindow',
        spec: { nodeSelector, allow: [{ start: 'Thu 23:00', duration: '1h30m' }] },
      },
    ],
    refused: [],
  });
});

test('every strategy there was has its own, off even where YAML 1.1 takes it for false', () => {
  const strategies = ['etcd-lock', 'reboot', 'off', '"off"', 'false'].map((text) => {
    const { objects } = reboots(`  update: {reboot_strategy: ${text}}\n`);
    return objects.map(({ spec }) => 'reboot' in spec && spec.reboot?.strategy);
  });
  assert.deepEqual(strategies, [['lock'], ['reboot'], ['off'], ['off'], ['off']]);
  assert.equal(reboots('  update: {reboot_strategy: best-effort}\n').refused.length, 1);
});

test('a window is read as locksmith read it', () => {
  const windows = (start: string, length: string) =>
    reboots(`  locksmith: {window_start: ${start}, window_length: ${length}}\n`).objects.map(
      ({ spec }) => 'allow' in spec && spec.allow?.[0],
    );
  assert.deepEqual(windows('"sun 4:30"', '1.5h'), [{ start: 'Sun 04:30', duration: '5400s' }]);
  assert.deepEqual(windows('"04:00"', '90m'), [{ start: '04:00', duration: '90m' }]);
  for (const [start, length] of [
    ['"24:00"', '1h'],
    ['"Someday 04:00"', '1h'],
    ['"04:00"', '0s'],
    ['"04:00"', '200h'],
    ['"04:00"', 'long'],
  ] as const) {
    assert.deepEqual(windows(start, length), [], `${start} ${length}`);
  }
  assert.deepEqual(
    reboots('  locksmith: {window_start: "04:00"}\n').refused.map(({ what }) => what),
    ['coreos.locksmith.window_start'],
  );
});

test('what Kubernetes or the image does is refused by name and line', () => {
  const text = `#cloud-config
manage_etc_hosts: localhost
users:
  - name: core
    passwd: $6$x
    coreos-ssh-import-github: me
coreos:
  etcd2: {name: x}
  fleet: {metadata: a=b}
  flannel: {interface: eth0}
  oem: {id: x}
  update: {server: "https://example.org/v1/update/"}
  locksmith: {endpoint: "http://127.0.0.1:2379", group: x}
  units:
    - {name: a.service, runtime: true}
    - {name: b.service, command: try-restart}
write_files:
  - {path: /etc/a, content: $public_ipv6}
  - {path: /etc/b, content: x, encoding: bzip2}
  - {path: /etc/c, content: "*", encoding: base64}
  - {path: /etc/d, content: x, permissions: rw}
nonsense: 1
`;
  assert.deepEqual(
    importConfig(text).refused.map(({ line, what }) => [line, what]),
    [
      [2, 'manage_etc_hosts'],
      [5, 'users[0].passwd'],
      [6, 'users[0].coreos-ssh-import-github'],
      [8, 'coreos.etcd2'],
      [9, 'coreos.fleet'],
      [10, 'coreos.flannel'],
      [11, 'coreos.oem'],
      [12, 'coreos.update.server'],
      [13, 'coreos.locksmith.endpoint'],
      [13, 'coreos.locksmith.group'],
      [15, 'coreos.units[0].runtime'],
      [16, 'coreos.units[1].command'],
      [18, 'write_files[0].content'],
      [19, 'write_files[1]'],
      [20, 'write_files[2].content'],
      [21, 'write_files[3].permissions'],
      [22, 'nonsense'],
    ],
  );
});

test('a host name that Linux would not take is refused', () => {
  assert.deepEqual(
    refusals('#cloud-config\nhostname: not a name\n').map(([what]) => what),
    ['hostname'],
  );
});
