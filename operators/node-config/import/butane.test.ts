import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importConfig } from './import-config.ts';
import { read, refusals } from './testing/read.ts';

test('a Fedora CoreOS machine with a service, a file and a key', () => {
  const text = `variant: fcos
version: 1.5.0
passwd:
  users:
    - name: core
      ssh_authorized_keys:
        - ssh-ed25519 ${'A'.repeat(68)} me
storage:
  directories:
    - path: /opt/tools
      mode: 0750
  files:
    - path: /etc/chrony.d/pool.conf
      mode: 0640
      user: {name: root}
      group: {name: chrony}
      contents:
        inline: |
          pool time.example.org iburst
    - path: /etc/motd
      contents:
        source: data:,welcome
  links:
    - path: /etc/localtime
      target: ../usr/share/zoneinfo/Asia/Tokyo
systemd:
  units:
    - name: stamp.service
      enabled: yes
      contents: |
        [Service]
        ExecStart=/usr/bin/touch /run/stamp
        [Install]
        WantedBy=multi-user.target
      dropins:
        - name: user.conf
          contents: |
            [Service]
            User=nobody
kernel_arguments:
  should_exist: [mitigations=auto]
  should_not_exist: [quiet]
`;
  assert.deepEqual(read(text), {
    directories: [{ path: '/opt/tools', mode: '0750' }],
    files: [
      {
        path: '/etc/chrony.d/pool.conf',
        contents: 'pool time.example.org iburst\n',
        mode: '0640',
        user: 'root',
        group: 'chrony',
      },
      { path: '/etc/motd', contents: 'welcome' },
    ],
    links: [{ path: '/etc/localtime', target: '../usr/share/zoneinfo/Asia/Tokyo' }],
    units: [
      {
        name: 'stamp.service',
        contents: '[Service]\nExecStart=/usr/bin/touch /run/stamp\n[Install]\nWantedBy=multi-user.target\n',
        dropins: [{ name: 'user.conf', contents: '[Service]\nUser=nobody\n' }],
        enabled: true,
      },
    ],
    sshAuthorizedKeys: [{ user: 'core', keys: [`ssh-ed25519 ${'A'.repeat(68)} me`] }],
    kernelArguments: { add: ['mitigations=auto'], remove: ['quiet'] },
  });
});

const LOCAL = `variant: flatcar
version: 1.1.0
storage:
  files:
    - path: /etc/a
      contents: {local: files/a}
systemd:
  units:
    - name: a.service
      contents_local: files/a.service
passwd:
  users:
    - name: core
      ssh_authorized_keys_local: [files/keys]
`;

test('files beside a Flatcar document are taken from where the caller has them', () => {
  const there: Record<string, string> = {
    'files/a': 'local\n',
    'files/a.service': '[Service]\nExecStart=/opt/a ${node.name}\n',
    'files/keys': `# keys\n\nssh-ed25519 ${'B'.repeat(68)} you\n`,
  };
  const local = (path: string) => (there[path] === undefined ? undefined : Buffer.from(there[path]));
  assert.deepEqual(read(LOCAL, { local }), {
    files: [{ path: '/etc/a', contents: 'local\n' }],
    units: [{ name: 'a.service', contents: '[Service]\nExecStart=/opt/a $${node.name}\n' }],
    sshAuthorizedKeys: [{ user: 'core', keys: [`ssh-ed25519 ${'B'.repeat(68)} you`] }],
  });
});

test('files beside the document that nobody gave are refused with their line', () => {
  assert.deepEqual(
    importConfig(LOCAL).refused.map(({ line, what }) => [line, what]),
    [
      [6, 'storage.files[0].contents.local'],
      [10, 'systemd.units[0].contents_local'],
      [14, 'passwd.users[0].ssh_authorized_keys_local[0]'],
    ],
  );
});

test('an OpenShift document brings its name, its role and its kernel arguments', () => {
  const text = `variant: openshift
version: 4.14.0
metadata:
  name: 99-worker-chrony
  labels:
    machineconfiguration.openshift.io/role: worker
openshift:
  kernel_arguments: [nosmt]
  fips: true
  extensions: [usbguard]
storage:
  files:
    - path: /etc/chrony.conf
      mode: 0644
      overwrite: true
      contents: {inline: "pool a iburst\\n"}
`;
  const { objects, refused } = importConfig(text);
  assert.deepEqual(
    refused.map(({ line, what }) => [line, what]),
    [
      [9, 'openshift.fips'],
      [10, 'openshift.extensions'],
    ],
  );
  assert.deepEqual(objects, [
    {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'NodeConfig',
      metadata: { name: '99-worker-chrony' },
      spec: {
        nodeSelector: { matchLabels: { 'node-role.kubernetes.io/worker': '' } },
        files: [{ path: '/etc/chrony.conf', contents: 'pool a iburst\n', mode: '0644' }],
        kernelArguments: { add: ['nosmt'] },
      },
    },
  ]);
});

const mode = (text: string) =>
  `variant: fcos\nversion: 1.7.0\nstorage: {files: [{path: /etc/a, mode: ${text}, contents: {inline: x}}]}\n`;

test('modes are octal here, and one that is not written so is refused (A9)', () => {
  assert.equal(read(mode('0600')).files?.[0]?.mode, '0600');
  assert.equal(read(mode('0o600')).files?.[0]?.mode, '0600');
  assert.equal(read(mode('"600"')).files?.[0]?.mode, '0600');
  for (const wrong of ['644', '0888', '-1', '"rw"', '010000', '[6]']) {
    assert.deepEqual(
      refusals(mode(wrong)).map(([what]) => what),
      ['storage.files[0].mode'],
      wrong,
    );
  }
});

test('what goes beyond day 2 is refused by name and line', () => {
  const text = `variant: fcos
version: 1.6.0
boot_device:
  mirror: {devices: [/dev/sda, /dev/sdb]}
grub: {users: [{name: root, password_hash: x}]}
ignition:
  config: {merge: [{local: base.ign}]}
storage:
  trees: [{local: tree}]
  filesystems: [{device: /dev/sdc, format: ext4, with_mount_unit: true}]
  files:
    - path: /etc/a
      contents: {inline: x, local: y}
systemd:
  units: [{name: a.service, enable: true}]
`;
  assert.deepEqual(
    importConfig(text).refused.map(({ line, what }) => [line, what]),
    [
      [3, 'boot_device'],
      [5, 'grub'],
      [6, 'ignition'],
      [9, 'storage.trees'],
      [10, 'storage.filesystems'],
      [13, 'storage.files[0].contents'],
      [15, 'systemd.units[0].enable'],
    ],
  );
});

test('variants and versions that are not read are refused', () => {
  for (const head of [
    'variant: fcos\nversion: 2.0.0',
    'variant: r4e\nversion: 1.1.0',
    'variant: flatcar\nversion: 1.2.0',
  ]) {
    assert.equal(refusals(`${head}\nsystemd: {units: [{name: a.service, mask: true}]}`).length, 1);
  }
});
