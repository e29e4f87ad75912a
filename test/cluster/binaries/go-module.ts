import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The programs of a control plane and what drives it. */
export type ControlPlaneBinary =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'helm';

/** The programs of a node. */
export type NodeBinary =
  | 'kubelet'
  | 'containerd'
  | 'containerd-shim-runc-v2'
  | 'ctr'
  | 'runc'
  | 'bridge'
  | 'host-local'
  | 'loopback';

export type BinaryName = ControlPlaneBinary | NodeBinary;

/** A go.mod here whose `tool` lines pin programs, and how to build them. */
export interface GoModule {
  readonly name: string;
  /** The folder of its go.mod and go.sum. */
  readonly directory: string;
  /** Go package of each program, in the order in which they are best built. */
  readonly packages: Readonly<Partial<Record<BinaryName, string>>>;
  readonly tags: string;
  /** Linker variables, `$version` standing for the version of `versionedBy`. */
  readonly variables: readonly string[];
  /** The Go module whose version in go.mod the programs report. */
  readonly versionedBy: string;
  /** Links C libraries, statically: the programs run on any distribution's /usr. */
  readonly cgo?: { readonly needs: string } | undefined;
}

/** Kubernetes' own, as upstream builds them; without the variables they would report version v0.0.0. */
export const kubernetes: GoModule = {
  name: 'kubernetes',
  directory: path.join(import.meta.dirname, 'kubernetes'),
  packages: {
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver', // first: it carries what the others share
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
    'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
    kubectl: 'k8s.io/kubernetes/cmd/kubectl',
    etcd: 'go.etcd.io/etcd/server/v3',
  },
  tags: 'selinux,notest,grpcnotrace',
  variables: ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `${name}.gitVersion=$version`,
    `${name}.gitMajor=1`,
    `${name}.gitMinor=$minor`,
    `${name}.gitTreeState=clean`,
    `${name}.gitCommit=goproxy`,
    `${name}.buildDate=1970-01-01T00:00:00Z`,
  ]),
  versionedBy: 'k8s.io/kubernetes',
};

/** By itself, because it needs modules that the others do not: with them, none would be in the cache any more. */
export const kubelet: GoModule = {
  ...kubernetes,
  name: 'kubelet',
  directory: path.join(import.meta.dirname, 'kubelet'),
  packages: { kubelet: 'k8s.io/kubernetes/cmd/kubelet' },
};

export const helm: GoModule = {
  name: 'helm',
  directory: path.join(import.meta.dirname, 'helm'),
  packages: { helm: 'helm.sh/helm/v4/cmd/helm' },
  tags: '',
  variables: ['helm.sh/helm/v4/internal/version.version=$version'],
  versionedBy: 'helm.sh/helm/v4',
};

const containerRuntime = path.join(import.meta.dirname, 'container-runtime');

/** What the kubelet has containers run by; without file systems that no test node has. */
export const containerd: GoModule = {
  name: 'containerd',
  directory: containerRuntime,
  packages: {
    containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
    'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
    ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
  },
  tags: 'osusergo,netgo,static_build,no_btrfs,no_devmapper,no_zfs',
  variables: ['github.com/containerd/containerd/v2/version.Version=$version'],
  versionedBy: 'github.com/containerd/containerd/v2',
};

/** With seccomp, as every pod with the profile RuntimeDefault needs it: the one program here that links C. */
export const runc: GoModule = {
  name: 'runc',
  directory: containerRuntime,
  packages: { runc: 'github.com/opencontainers/runc' },
  tags: 'seccomp,netgo,osusergo',
  variables: [], // its version is a file in the module
  versionedBy: 'github.com/opencontainers/runc',
  cgo: { needs: 'gcc, pkg-config and libseccomp-dev' },
};

/** The three CNI plugins that give the pods of a node addresses on a bridge. */
export const cniPlugins: GoModule = {
  name: 'cni-plugins',
  directory: containerRuntime,
  packages: {
    bridge: 'github.com/containernetworking/plugins/plugins/main/bridge',
    'host-local': 'github.com/containernetworking/plugins/plugins/ipam/host-local',
    loopback: 'github.com/containernetworking/plugins/plugins/main/loopback',
  },
  tags: '',
  variables: ['github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=$version'],
  versionedBy: 'github.com/containernetworking/plugins',
};

const modules: readonly GoModule[] = [kubernetes, kubelet, helm, containerd, runc, cniPlugins];

/** The module that builds `name`. */
export function moduleOf(name: BinaryName): GoModule {
  const module = modules.find(({ packages }) => packages[name] !== undefined);
  if (module === undefined) throw new Error(`no module builds ${name}`);
  return module;
}

/** The version that a module's go.mod pins: of what its programs report, or of another Go module. */
export async function pinnedVersion(module: GoModule, required = module.versionedBy): Promise<string> {
  return requiredVersion(await readFile(path.join(module.directory, 'go.mod'), 'utf8'), required);
}

/** The version of a Go module that a go.mod requires, such as `v1.36.4`. */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .trim()
      .replace(/^require\s+/, '')
      .split(/\s+/);
    if (name === module && version?.startsWith('v')) return version;
  }
  throw new Error(`go.mod does not require ${module}`);
}

/** What `go build -ldflags` gets: no debug information, and the version where the programs look for it. */
export function linkerFlags(module: GoModule, version: string): string {
  const minor = version.split('.')[1] ?? '';
  const set = (variable: string) => `-X ${variable.replace('$version', version).replace('$minor', minor)}`;
  const linked = module.cgo === undefined ? [] : ['-extldflags', '-static'];
  return ['-s', '-w', ...linked, ...module.variables.map(set)].join(' ');
}

/** Names a build: changes with go.mod, go.sum, the flags and the platform. */
export async function buildKey(
  module: GoModule,
  platform = `${process.platform}-${process.arch}`,
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(await readFile(path.join(module.directory, file))).update('\0');
  }
  const linked = module.cgo === undefined ? [] : ['cgo'];
  hash.update([platform, module.tags, ...module.variables, ...linked].join('\0'));
  return `${module.name}-${hash.digest('hex').slice(0, 16)}`;
}
