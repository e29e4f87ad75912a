import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '#runtime/client/client.ts';
import { kubeconfig } from '#test/cluster/kubeconfig.ts';
import type { KubeletPod } from './pod.ts';

/** The API server as pods of a machine reach it. */
export interface ApiEndpoint {
  url: string;
  caPem: string;
}

interface TokenRequest {
  status: { token: string; expirationTimestamp: string };
}

/** A pod's own token in a file, bound to the pod and replaced before it expires, and a kubeconfig that uses it. */
export class PodCredentials {
  readonly kubeconfigFile: string;
  readonly #directory: string;
  readonly #pod: KubeletPod;
  readonly #client: KubeClient;
  readonly #endpoint: ApiEndpoint;
  #made: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(pod: KubeletPod, client: KubeClient, endpoint: ApiEndpoint, directory: string) {
    this.#pod = pod;
    this.#client = client;
    this.#endpoint = endpoint;
    this.#directory = directory;
    this.kubeconfigFile = join(directory, 'kubeconfig');
  }

  /** Both files exist when this resolves. Rejects with the API's error; may then be called again. */
  async ready(signal: AbortSignal): Promise<void> {
    this.#made ??= this.#make(signal).catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    await this.#made;
  }

  async remove(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#made?.catch(() => {});
    clearTimeout(this.#timer);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #make(signal: AbortSignal): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await this.#renew(signal);
    const tokenFile = join(this.#directory, 'token');
    await writeFile(this.kubeconfigFile, kubeconfig(this.#endpoint, { tokenFile }), { mode: 0o600 });
  }

  async #renew(signal?: AbortSignal): Promise<void> {
    const { token, expirationTimestamp } = (await this.#request(signal)).status;
    const file = join(this.#directory, 'token');
    await writeFile(`${file}.new`, token, { mode: 0o600 });
    await rename(`${file}.new`, file);
    this.#schedule((Date.parse(expirationTimestamp) - Date.now()) * 0.8); // as kubelet's token manager does
  }

  #schedule(ms: number): void {
    const again = (): void => {
      this.#renew().catch(() => this.#schedule(5000));
    };
    this.#timer = setTimeout(again, ms).unref();
  }

  #request(signal?: AbortSignal): Promise<TokenRequest> {
    const { name, namespace, uid } = this.#pod.metadata;
    const account = this.#pod.spec.serviceAccountName ?? 'default';
    const wanted = this.#projection();
    return this.#client.create<TokenRequest>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: wanted?.audience === undefined ? [] : [wanted.audience],
          expirationSeconds: wanted?.expirationSeconds ?? 3607,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
      {},
      { signal },
    );
  }

  #projection(): { audience?: string; expirationSeconds?: number } | undefined {
    const sources = (this.#pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
    return sources.find(({ serviceAccountToken }) => serviceAccountToken !== undefined)?.serviceAccountToken;
  }
}
