import { randomUUID } from 'node:crypto';
import { kubeconfig } from '#test/cluster/kubeconfig.ts';
import type { KeyPair } from '#test/cluster/pki.ts';
import { cniConfig, CONTAINERD_CONFIG, IMPORT_IMAGES, networkUnit } from './containerd-config.ts';
import { kubeletConfig } from './kubelet-config.ts';
import { API_SERVICE, GATEWAY } from './network.ts';
import type { NodeIdentity } from './node-identity.ts';

/** What a node is given when it is installed. */
export interface NodeSetup {
  identity: NodeIdentity;
  caPem: string;
  /** `system:node:<name>`, and the certificate that the API server sees when it asks for logs. */
  client: KeyPair;
  serving: KeyPair;
  labels: Readonly<Record<string, string>>;
  taints: readonly object[];
  /** See RealMachineKind. */
  shutdownGraceSeconds?: number | undefined;
}

/** The files of one node that differ from all others', or that no OS image brings: path → content. */
export function nodeFiles(setup: NodeSetup): Record<string, string> {
  const { name, address, podRange } = setup.identity;
  return {
    'etc/hostname': `${name}\n`,
    'etc/hosts': `127.0.0.1 localhost\n${address} ${name}\n`,
    'etc/resolv.conf': '',
    'etc/machine-id': `${randomUUID().replaceAll('-', '')}\n`,
    'etc/systemd/network/10-eth0.network': networkUnit(address, GATEWAY),
    'etc/systemd/system.conf.d/10-node.conf': SYSTEMD,
    'etc/containerd/config.toml': CONTAINERD_CONFIG,
    'etc/cni/net.d/10-pods.conflist': JSON.stringify(cniConfig(podRange)),
    'opt/node/import-images': IMPORT_IMAGES,
    ...bootEntries(),
    ...kubeletFiles(setup),
  };
}

/** An entry for each slot, which firmware and initrd take the command line from. */
function bootEntries(): Record<string, string> {
  const entries = ['USR-A', 'USR-B'].map((slot) => [
    `boot/loader/entries/${slot.toLowerCase()}.conf`,
    `title Linux (${slot})\nlinux /flatcar/vmlinuz\noptions root=LABEL=ROOT\n`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Accounting makes systemd hand the controllers on to the kubelet's groups where there is cgroup v2 alone. */
const SYSTEMD = `[Manager]
DefaultTimeoutStopSec=10s
DefaultCPUAccounting=yes
DefaultIOAccounting=yes
DefaultMemoryAccounting=yes
DefaultTasksAccounting=yes
`;

function kubeletFiles({
  identity,
  caPem,
  client,
  serving,
  labels,
  taints,
  shutdownGraceSeconds,
}: NodeSetup): Record<string, string> {
  const nodeLabels = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const environment = [
    `NODE=${identity.name}`,
    `IP=${identity.address}`,
    `NODE_LABELS=${nodeLabels.join(',')}`,
  ];
  return {
    'etc/kubernetes/kubelet.yaml': JSON.stringify(kubeletConfig({ taints, shutdownGraceSeconds }), null, 2),
    'etc/kubernetes/kubelet.env': `${environment.join('\n')}\n`,
    'etc/kubernetes/kubeconfig': kubeconfig({ url: `https://${API_SERVICE}:443`, caPem }, client),
    'etc/kubernetes/ca.crt': caPem,
    'etc/kubernetes/kubelet.crt': serving.cert,
    'etc/kubernetes/kubelet.key': serving.key,
  };
}
