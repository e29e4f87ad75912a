import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The programs of a control plane and what drives it. */
export type BinaryName =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'helm';

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

export const helm: GoModule = {
  name: 'helm',
  directory: path.join(import.meta.dirname, 'helm'),
  packages: { helm: 'helm.sh/helm/v4/cmd/helm' },
  tags: '',
  variables: ['helm.sh/helm/v4/internal/version.version=$version'],
  versionedBy: 'helm.sh/helm/v4',
};

/** The module that builds `name`. */
export function moduleOf(name: BinaryName): GoModule {
  return name === 'helm' ? helm : kubernetes;
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
  return ['-s', '-w', ...module.variables.map(set)].join(' ');
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
  hash.update([platform, module.tags, ...module.variables].join('\0'));
  return `${module.name}-${hash.digest('hex').slice(0, 16)}`;
}
