/** A pod of one node that runs a program with that node's own /usr, seeing its processes, network and files. */
export function hostPod(name: string, nodeName: string, command: readonly string[]): object {
  const directories = { usr: '/usr', bin: '/usr/bin', lib: '/usr/lib', lib64: '/usr/lib64', host: '/' };
  const volumes = Object.entries(directories).map(([volume, path]) => ({ name: volume, hostPath: { path } }));
  const volumeMounts = volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` }));
  const container = {
    name: 'c',
    image: 'shop:1',
    imagePullPolicy: 'Never',
    command,
    securityContext: { privileged: true },
    volumeMounts,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName,
      hostPID: true,
      hostNetwork: true,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      containers: [container],
      volumes,
    },
  };
}
