import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { osRelease } from '../../os-image.ts';
import type { RealBehaviour } from './behaviour.ts';
import type { SlotChange } from './slot-change.ts';

const UNITS = 'lib/systemd/system';
const INIT = 'lib/systemd/systemd';

/** Units for hardware, package managers and consoles, of which a node on namespaces has none. */
const MASKED = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'console-getty.service',
  'dev-hugepages.mount',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty@tty1.service',
  'ldconfig.service',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-hwdb-update.service',
  'systemd-modules-load.service',
  'systemd-pstore.service',
  'systemd-timesyncd.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
] as const;

const ENABLED = ['containerd.service', 'kubelet.service', 'ssh.service', 'systemd-networkd.service'] as const;

/** Everything in which an image differs from its Debian tree. */
export async function slotChanges(version: string, behaviour: RealBehaviour): Promise<SlotChange[]> {
  const units = await Promise.all(['containerd.service', 'kubelet.service'].map(ownUnit));
  const masks = MASKED.map((name) => ({ path: `${UNITS}/${name}`, link: '/dev/null' }));
  const wants = ENABLED.map((name) => ({
    path: `${UNITS}/multi-user.target.wants/${name}`,
    link: `../${name}`,
  }));
  return [
    { path: 'lib/os-release', text: osRelease(version) },
    { path: 'lib/careen-test/behaviour', text: `${behaviour}\n` },
    // Most of /proc/sys is read-only in a node; the unit would not run at all, although some keys can be set.
    { path: `${UNITS}/systemd-sysctl.service.d/10-node.conf`, text: '[Unit]\nConditionPathIsReadWrite=\n' },
    ...units,
    ...masks,
    ...wants,
    ...faults[behaviour],
  ];
}

async function ownUnit(name: string): Promise<SlotChange> {
  const text = await readFile(path.join(import.meta.dirname, 'units', name), 'utf8');
  return { path: `${UNITS}/${name}`, text };
}

/** What is wrong with the images that are to fail, each as a release could be. */
const faults: Readonly<Record<RealBehaviour, readonly SlotChange[]>> = {
  ok: [],
  'no-boot': [{ path: INIT, absent: true }],
  hang: [
    { path: INIT, text: '#!/bin/sh\n# An init that waits for ever.\nexec sleep infinity\n', mode: 0o755 },
  ],
  // The release looks for the pods' network where there is none: host-network pods run, the node is never Ready.
  unhealthy: [
    {
      path: `${UNITS}/containerd.service.d/10-network.conf`,
      text: [
        '[Service]',
        "ExecStartPre=/bin/sh -c 'sed s:/etc/cni/net.d:/run/cni/net.d: /etc/containerd/config.toml >/run/containerd.toml'",
        'ExecStart=',
        'ExecStart=/opt/node/bin/containerd --config /run/containerd.toml',
        '',
      ].join('\n'),
    },
  ],
  // The release still hands over a flag that the kubelet does not know any more.
  'no-kubelet': [
    {
      path: `${UNITS}/kubelet.service.d/10-runtime.conf`,
      text: '[Service]\nExecStart=\nExecStart=/opt/node/kbin/kubelet --container-runtime=remote\n',
    },
  ],
};
