import { POD_RANGE } from './network.ts';

/** `/etc/containerd/config.toml`. */
export const CONTAINERD_CONFIG = `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "localhost/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/opt/node/cni"]
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
      BinaryName = "/opt/node/bin/runc"
`;

/**
 * The program that containerd's unit runs after its start: imports the images that came with the node, each once in
 * the node's life.
 */
export const IMPORT_IMAGES = `#!/bin/sh
# Imports the image archives that came with the node, each once in the node's life.
until ctr version >/dev/null 2>&1; do sleep 0.05; done
for archive in /opt/node/images/*.tar; do
  mark=/var/lib/containerd/imported-$(basename "$archive")
  [ -e "$mark" ] && continue
  ctr -n k8s.io image import --local --snapshotter overlayfs "$archive" && : >"$mark"
done
`;

/** The pods of a node hang at a bridge of its own; its addresses are given out again after a reboot. */
export function cniConfig(podRange: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni-ipam',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}

/**
 * The network card, for systemd-networkd. The whole range of pods is on the wire and each node answers ARP for its
 * own part: no node needs to know the others.
 */
export function networkUnit(address: string, gateway: string): string {
  return `[Match]
Name=eth0
[Network]
Address=${address}/24
Gateway=${gateway}
LinkLocalAddressing=no
IPv6AcceptRA=no
IPForward=ipv4
IPv4ProxyARP=yes
[Route]
Destination=${POD_RANGE}
Scope=link
`;
}
