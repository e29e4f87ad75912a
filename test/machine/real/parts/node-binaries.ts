import path from 'node:path';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import type { NodeBinary } from '#test/cluster/binaries/go-module.ts';
import { Search, type SearchOptions } from '#test/cluster/binaries/search.ts';
import { gather } from './gather.ts';

/** Directories with the programs of a node, as a node mounts them. */
export interface NodeBinaries {
  /** containerd, containerd-shim-runc-v2, ctr, runc. */
  bin: string;
  /** bridge, host-local, loopback. */
  cni: string;
  /** kubelet. */
  kubelet: string;
}

const contents: Readonly<Record<keyof NodeBinaries, readonly NodeBinary[]>> = {
  kubelet: ['kubelet'],
  bin: ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'],
  cni: ['bridge', 'host-local', 'loopback'],
};

/**
 * Finds what a node runs, from the same sources as the programs of the control plane. Each directory holds the
 * programs that it is for and nothing else.
 * @throws ClusterError BinaryMissing
 */
export async function findNodeBinaries(options: SearchOptions = {}): Promise<NodeBinaries> {
  const search = new Search(options);
  const files = new Map<string, string>(); // by path in the directory
  for (const [directory, names] of Object.entries(contents)) {
    for (const name of names) files.set(path.join(directory, name), await search.find(name));
  }
  const directory = await gather(cacheDirectory(options.env), 'node', files);
  const at = (name: keyof NodeBinaries): string => path.join(directory, name);
  return { bin: at('bin'), cni: at('cni'), kubelet: at('kubelet') };
}
