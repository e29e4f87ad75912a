/** Where systemd looks for units that an administrator adds. */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/etc/systemd/system.control',
  '/usr/local/lib/systemd/system',
];

/** Without these the node leaves the cluster, or the host cannot be reached to be mended. */
const CRITICAL_UNITS = [
  'kubelet.service',
  'containerd.service',
  'crio.service',
  'docker.service',
  'k3s.service',
  'k3s-agent.service',
  'rke2-server.service',
  'rke2-agent.service',
  'dbus.service',
  'dbus-broker.service',
  'systemd-networkd.service',
  'systemd-logind.service',
  'NetworkManager.service',
  // Drop-ins for every service at once.
  'service',
];

/** Roots below which Careen may write; `/var/opt` and `/var/usrlocal` are what ostree makes of two of them. */
export const ALLOWED: readonly string[] = [
  '/etc',
  '/opt',
  '/srv',
  '/usr/local',
  '/var/opt',
  '/var/usrlocal',
  '/var/lib/careen-files',
];

/** Never written, whatever the cluster says: who the machine is, who may log in, what holds the cluster's trust. */
export const DENIED: readonly string[] = [
  '/etc/machine-id',
  '/etc/machine-info',
  '/etc/passwd*',
  '/etc/group*',
  '/etc/shadow*',
  '/etc/gshadow*',
  '/etc/subuid*',
  '/etc/subgid*',
  '/etc/.pwd.lock',
  '/etc/ld.so.preload',
  '/etc/mtab',
  '/etc/os-release',
  '/etc/ssh/ssh_host_*',
  '/etc/kubernetes/pki',
  '/etc/kubernetes/*.conf',
  '/etc/cni',
  '/opt/cni',
  '/etc/careen',
  '/etc/static',
  ...UNIT_DIRECTORIES.flatMap((directory) => [`${directory}/careen-*`, `${directory}/*/careen-*`]),
];

/** Written only where the document says `allowCritical`: a mistake here costs the node. */
export const CRITICAL: readonly string[] = [
  '/etc/containerd',
  '/etc/crio',
  '/etc/docker',
  '/etc/kubernetes',
  '/etc/rancher',
  '/etc/default/kubelet',
  '/etc/default/containerd',
  '/etc/sysconfig/kubelet',
  '/etc/fstab',
  '/etc/crypttab',
  '/etc/systemd/system.conf',
  '/etc/systemd/system.conf.d',
  '/etc/selinux',
  ...UNIT_DIRECTORIES.flatMap((directory) =>
    CRITICAL_UNITS.flatMap((unit) => [
      `${directory}/${unit}`,
      `${directory}/${unit}.d`,
      `${directory}/*/${unit}`,
    ]),
  ),
];
