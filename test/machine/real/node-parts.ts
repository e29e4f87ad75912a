/** What nodes are made of besides their OS images; all are paths. */
export interface NodeParts {
  /** Directory with containerd, its shim, ctr and runc. */
  bin: string;
  /** Directory with the CNI plugins bridge, host-local and loopback. */
  cni: string;
  /** Directory with the kubelet. */
  kubelet: string;
  /** Directory with the etc/ and var/ that a new node starts with. */
  state: string;
  /** OCI archives that each node imports on its first boot. */
  images: readonly string[];
}
