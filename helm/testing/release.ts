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

export interface UninstallOptions {
  /** False: no kubelet is there to run the hooks. */
  hooks?: boolean;
}

/** The release `careen` in `careen-system`, by the helm of the cluster. Each call gives what helm printed. */
export class Release {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  install({ chart = CHART, values = {} }: ReleaseOptions = {}): Promise<string> {
    return this.#helm(['install', 'careen', chart, '--create-namespace', '--values', '-'], stringify(values));
  }

  upgrade({ chart = CHART, values = {} }: ReleaseOptions = {}): Promise<string> {
    return this.#helm(['upgrade', 'careen', chart, '--values', '-'], stringify(values));
  }

  /** To the revision before. */
  rollback(): Promise<string> {
    return this.#helm(['rollback', 'careen']);
  }

  test(): Promise<string> {
    return this.#helm(['test', 'careen', '--timeout', '300s']);
  }

  uninstall({ hooks = true }: UninstallOptions = {}): Promise<string> {
    const flags = ['--wait', '--timeout', '300s', ...(hooks ? [] : ['--no-hooks'])];
    return this.#helm(['uninstall', 'careen', ...flags]);
  }

  #helm(args: string[], input = ''): Promise<string> {
    const where = ['--namespace', NAMESPACE, '--kubeconfig', this.#cluster.kubeconfig];
    return run(this.#cluster.tools.helm, [...args, ...where], input);
  }
}
