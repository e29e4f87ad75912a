import type { ControlPlaneBinary } from './go-module.ts';
import { Search, type SearchOptions } from './search.ts';

/** The path of each program. */
export type Binaries = Readonly<Record<ControlPlaneBinary, string>>;

const everything: readonly ControlPlaneBinary[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'etcd',
  'helm',
];

/**
 * Finds the programs of a control plane.
 * @throws ClusterError BinaryMissing
 */
export async function findBinaries(options: SearchOptions = {}): Promise<Binaries> {
  const search = new Search(options);
  const found: Partial<Record<ControlPlaneBinary, string>> = {};
  for (const name of everything) found[name] = await search.find(name);
  return found as Binaries;
}

/** Finds only what is needed to talk to a cluster that somebody else runs. */
export async function findTools(options: SearchOptions = {}): Promise<Pick<Binaries, 'kubectl' | 'helm'>> {
  const search = new Search(options);
  return { kubectl: await search.find('kubectl'), helm: await search.find('helm') };
}
