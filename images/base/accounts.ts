/** The user that the operators are: by number in the image, so that `runAsNonRoot` can be checked without names. */
export const nonRoot = 65532;

/** The files of /etc that the C library and Node look for. The kubelet adds hosts, hostname and resolv.conf. */
export const accounts = {
  // Without an entry os.userInfo() throws.
  '/etc/passwd': `root:x:0:0:root:/:/nonexistent\nnonroot:x:${nonRoot}:${nonRoot}:nonroot:/tmp:/nonexistent\n`,
  '/etc/group': `root:x:0:\nnonroot:x:${nonRoot}:\n`,
  // The hosts file of a pod comes before its name servers.
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
} as const satisfies Record<string, string>;
