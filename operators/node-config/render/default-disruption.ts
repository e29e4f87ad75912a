import type { DisruptionRule } from '#api/config-fields.ts';

/**
 * What follows a change where no rule of a user says otherwise, in this order; docs/node-config.md shows the table.
 * A unit that does not run is neither reloaded nor restarted.
 */
export const DEFAULT_DISRUPTION: readonly DisruptionRule[] = [
  setting('kernelArguments', 'Reboot'),
  setting('sshAuthorizedKeys', 'None'),
  ...below(['/etc/sysctl.d/', '/etc/sysctl.conf'], 'Restart', 'systemd-sysctl.service'),
  ...below(['/etc/modules-load.d/', '/etc/modules'], 'Restart', 'systemd-modules-load.service'),
  ...below(['/etc/ssh/sshd_config', '/etc/ssh/sshd_config.d/'], 'Reload', 'sshd.service'),
  ...below(['/etc/systemd/network/'], 'Reload', 'systemd-networkd.service'),
  ...below(
    ['/etc/systemd/resolved.conf', '/etc/systemd/resolved.conf.d/'],
    'Restart',
    'systemd-resolved.service',
  ),
  ...below(
    ['/etc/systemd/journald.conf', '/etc/systemd/journald.conf.d/'],
    'Restart',
    'systemd-journald.service',
  ),
  ...below(
    ['/etc/systemd/timesyncd.conf', '/etc/systemd/timesyncd.conf.d/'],
    'Restart',
    'systemd-timesyncd.service',
  ),
  ...below(['/etc/udev/rules.d/'], 'Reload', 'systemd-udevd.service'),
  ...below(['/etc/chrony.conf', '/etc/chrony/'], 'Restart', 'chronyd.service'),
  ...below(['/etc/containerd/'], 'Drain', 'containerd.service'),
  ...below(['/etc/crio/'], 'Drain', 'crio.service'),
  ...below(['/etc/docker/'], 'Drain', 'docker.service'),
  // The kubelet reads its manifests by itself.
  { match: { path: '/etc/kubernetes/manifests/' }, action: 'None' },
  ...below(
    ['/etc/kubernetes/', '/etc/default/kubelet', '/etc/sysconfig/kubelet', '/var/lib/kubelet/config.yaml'],
    'Drain',
    'kubelet.service',
  ),
  { match: { path: '/etc/systemd/system/' }, action: 'DaemonReload' },
  { match: { path: '/' }, action: 'None' },
];

/** Pods hang on these; they are restarted on a drained node only. */
const CRITICAL = new Set(['kubelet.service', 'containerd.service', 'crio.service', 'docker.service']);

/** Kinds of units that come to no harm by a restart; a mount would be unmounted, a target would take others down. */
const RESTARTED = /\.(service|socket|timer|path)$/;

/** What follows a change of a unit. */
export function defaultForUnit(unit: string): DisruptionRule {
  const match = { unit };
  if (CRITICAL.has(unit)) return { match, action: 'Drain', unit };
  // A template runs only as its instances, which are units of their own.
  if (!RESTARTED.test(unit) || unit.includes('@.')) return { match, action: 'DaemonReload' };
  return { match, action: 'Restart', unit };
}

function below(paths: string[], action: DisruptionRule['action'], unit: string): DisruptionRule[] {
  return paths.map((path) => ({ match: { path }, action, unit }));
}

function setting(name: 'kernelArguments' | 'sshAuthorizedKeys', action: 'None' | 'Reboot'): DisruptionRule {
  return { match: { setting: name }, action };
}
