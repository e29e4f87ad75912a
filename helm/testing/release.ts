import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from '#test/stack/kubectl.ts';
import type { Cluster } from '#test/cluster/cluster.ts';

export const CHART = join(import.meta.dirname, '../careen');
export const NAMESPACE = 'careen-system';
export const AGENT_NAMESPACE = 'careen-agent';

export interface ReleaseOptions {
  chart?: string;
  values?: object;
}

/** The release `careen` in `careen-system`, by the helm of the cluster. Each call gives what helm printed. */
export class Release {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  install({ chart = CHART, values = {} }: ReleaseOptions = {}): Promise<string> {
    const where = ['--namespace', NAMESPACE, '--create-namespace', '--values', '-'];
    return this.#helm(['install', 'careen', chart, ...where], stringify(values));
  }

  upgrade({ chart = CHART, values = {} }: ReleaseOptions = {}): Promise<string> {
    const where = ['--namespace', NAMESPACE, '--values', '-'];
    return this.#helm(['upgrade', 'careen', chart, ...where], stringify(values));
  }

  uninstall(): Promise<string> {
    return this.#helm(['uninstall', 'careen', '--namespace', NAMESPACE, '--wait', '--timeout', '60s']);
  }

  #helm(args: string[], input = ''): Promise<string> {
    return run(this.#cluster.tools.helm, [...args, '--kubeconfig', this.#cluster.kubeconfig], input);
  }
}
