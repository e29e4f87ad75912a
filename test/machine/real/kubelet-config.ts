/** What differs between nodes. */
export interface KubeletSetup {
  taints: readonly object[];
  /** See RealMachineKind. */
  shutdownGraceSeconds?: number | undefined;
}

/** `/etc/kubernetes/kubelet.yaml` as kubeadm would write it, less what would change the whole computer. */
export function kubeletConfig({ taints, shutdownGraceSeconds = 0 }: KubeletSetup): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    enforceNodeAllocatable: ['pods'],
    failSwapOn: false,
    // Neither may be raised where the user lacks CAP_SYS_RESOURCE.
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    makeIPTablesUtilChains: false,
    address: '0.0.0.0',
    readOnlyPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: '/etc/kubernetes/kubelet.crt',
    tlsPrivateKeyFile: '/etc/kubernetes/kubelet.key',
    volumePluginDir: '/var/lib/kubelet/plugins-exec',
    clusterDomain: 'cluster.local',
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    // The images came with the node: what is collected could not be pulled again.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    // The controller manager of the test cluster takes a node for lost after 20 s.
    nodeLeaseDurationSeconds: 20,
    nodeStatusUpdateFrequency: '4s',
    nodeStatusReportFrequency: '5m',
    registerWithTaints: taints,
    shutdownGracePeriod: `${shutdownGraceSeconds}s`,
    // Of it, the last half is for critical pods.
    shutdownGracePeriodCriticalPods: `${Math.floor(shutdownGraceSeconds / 2)}s`,
  };
}
