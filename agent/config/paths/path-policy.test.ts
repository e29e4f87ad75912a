import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigErrorCode } from '#api/config-errors.ts';
import { ConfigError } from '../config-error.ts';
import { noLocalPolicy } from './local-policy.ts';
import type { LocalPolicy } from './local-policy.ts';
import { checkPath } from './path-policy.ts';
import type { WantedPath } from './path-policy.ts';

function verdict(
  path: string,
  more: Partial<WantedPath> & { allowCritical?: boolean; local?: LocalPolicy } = {},
): ConfigErrorCode | 'allowed' {
  const { allowCritical = false, local = noLocalPolicy, ...wanted } = more;
  try {
    checkPath({ path, type: 'file', ...wanted }, { allowCritical, local });
    return 'allowed';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.code;
  }
}

test('files below the roots are allowed, the roots themselves and all else are not', () => {
  for (const path of ['/etc/motd', '/opt/x/y', '/usr/local/bin/tool', '/etc/sysctl.d/90.conf', '/srv/a'])
    assert.equal(verdict(path), 'allowed', path);
  for (const path of [
    '/etc',
    '/root/.ssh/authorized_keys',
    '/usr/bin/sh',
    '/boot/x',
    '/etcetera',
    '/var/lib/careen/x',
  ])
    assert.equal(verdict(path), 'PathRefused', path);
});

test('who the machine is, who logs in and what the cluster trusts is never written (A24)', () => {
  const never = [
    '/etc/machine-id',
    '/etc/shadow',
    '/etc/shadow-',
    '/etc/passwd',
    '/etc/ssh/ssh_host_ed25519_key',
    '/etc/kubernetes/pki/ca.crt',
    '/etc/kubernetes/kubelet.conf',
    '/etc/cni/net.d/10-x.conflist',
    '/etc/ld.so.preload',
    '/etc/careen/policy.json',
    '/etc/careen',
  ];
  for (const path of never) assert.equal(verdict(path, { allowCritical: true }), 'PathRefused', path);
});

test("the agent's own units are never written, through no name of theirs (A17)", () => {
  const own = [
    '/etc/systemd/system/careen-deadman.timer',
    '/etc/systemd/system/careen-deadman.service.d/x.conf',
    '/etc/systemd/system/timers.target.wants/careen-deadman.timer',
    '/usr/local/lib/systemd/system/careen-revert.service',
  ];
  for (const path of own) assert.equal(verdict(path, { allowCritical: true }), 'PathRefused', path);
});

test('what keeps the node in the cluster takes allowCritical (A17)', () => {
  const critical = [
    '/etc/systemd/system/kubelet.service',
    '/etc/systemd/system/kubelet.service.d/10.conf',
    '/etc/systemd/system/service.d/all.conf',
    '/etc/systemd/system/multi-user.target.wants/containerd.service',
    '/etc/containerd/config.toml',
    '/etc/kubernetes/manifests/etcd.yaml',
  ];
  for (const path of critical) {
    assert.equal(verdict(path), 'CriticalRefused', path);
    assert.equal(verdict(path, { allowCritical: true }), 'allowed', path);
  }
  assert.equal(verdict('/etc/systemd/system/chronyd.service.d/10.conf'), 'allowed');
});

test('the policy of the machine stands above the document (A24)', () => {
  const local = { ...noLocalPolicy, paths: { allow: ['/data'], deny: ['/etc/ssh/*.d', '/data/own'] } };
  assert.equal(verdict('/etc/ssh/sshd_config.d/1.conf', { local }), 'PolicyRefused');
  assert.equal(verdict('/etc/ssh/sshd_config', { local }), 'allowed');
  assert.equal(verdict('/data/x', { local }), 'allowed');
  assert.equal(verdict('/data/own/x', { local, allowCritical: true }), 'PolicyRefused');
  const careful = { ...noLocalPolicy, allowCritical: false };
  assert.equal(
    verdict('/etc/containerd/config.toml', { local: careful, allowCritical: true }),
    'PolicyRefused',
  );
});

test('a directory on the way to a protected path is wanted safely or not at all', () => {
  const directory = (mode: number, uid = 0) => verdict('/etc/ssh', { type: 'directory', mode, uid });
  assert.equal(directory(0o755), 'allowed');
  assert.equal(directory(0o777), 'PathRefused');
  assert.equal(directory(0o755, 500), 'PathRefused');
  assert.equal(verdict('/etc/ssh', { type: 'link' }), 'PathRefused');
});
