import type { KubeObject } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { InformerOptions } from '#runtime/informer/informer.ts';
import { Informer } from '#runtime/informer/informer.ts';
import type { KeyRef } from '../render/rendered.ts';
import { CalmObjects } from './calm-objects.ts';
import { dataOf, type Source, type SourceKind } from './source-data.ts';

export interface SourceOptions extends Pick<InformerOptions<KubeObject>, 'log' | 'metrics'> {
  client: KubeClient;
  /** Those that may be read. */
  namespaces: readonly string[];
  /** What a lookup says may have changed. */
  onChange: () => void;
  /** ms since the epoch. */
  now: () => number;
}

/** No NodeConfig takes what Helm and the API server keep for themselves, and it may be large. */
const NOT_OURS = 'type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token';

/** The Secrets and ConfigMaps that NodeConfigs may refer to, as they were when they last stood still. */
export class SourceObjects {
  readonly informers: readonly Informer<Source>[];
  readonly #calm: Record<SourceKind, CalmObjects> = {
    secrets: new CalmObjects(),
    configmaps: new CalmObjects(),
  };
  readonly #onChange: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** Goes up with every change of what `secret` or `configMap` say. */
  version = 0;

  constructor({ namespaces, onChange, now, ...shared }: SourceOptions) {
    this.#onChange = onChange;
    this.#now = now;
    this.informers = namespaces.flatMap((namespace) =>
      (['secrets', 'configmaps'] as const).map((kind): Informer<Source> => {
        const informer: Informer<Source> = new Informer<Source>({
          ...shared,
          path: `/api/v1/namespaces/${namespace}/${kind}`,
          ...(kind === 'secrets' ? { query: { fieldSelector: NOT_OURS } } : {}),
          strip: onlyData,
          onChange: (key) => this.#see(kind, key, informer.get(key)),
        });
        return informer;
      }),
    );
  }

  readonly secret = (ref: KeyRef): Uint8Array | undefined => this.#read('secrets', ref);
  readonly configMap = (ref: KeyRef): Uint8Array | undefined => this.#read('configmaps', ref);

  stop(): void {
    clearTimeout(this.#timer);
  }

  #read(kind: SourceKind, { namespace, name, key }: KeyRef): Uint8Array | undefined {
    return this.#calm[kind].get(`${namespace}/${name}`)?.[key];
  }

  #see(kind: SourceKind, key: string, object: Source | undefined): void {
    if (this.#calm[kind].see(key, object && dataOf(kind, object), this.#now())) this.#changed();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const times = Object.values(this.#calm)
      .map((calm) => calm.nextAt())
      .filter((at) => at !== undefined);
    if (times.length === 0) return;
    this.#timer = setTimeout(() => this.#settle(), Math.max(0, Math.min(...times) - this.#now()) + 1).unref();
  }

  #settle(): void {
    const now = this.#now();
    const isAny = Object.values(this.#calm).map((calm) => calm.settle(now));
    if (isAny.includes(true)) this.#changed();
    this.#arm();
  }

  #changed(): void {
    this.version += 1;
    this.#onChange();
  }
}

function onlyData({ apiVersion, kind, metadata, data, binaryData }: Source): Source {
  const { name, namespace, uid, resourceVersion } = metadata;
  const identity = { name, namespace, uid, resourceVersion } as Source['metadata'];
  const rest = { ...(data && { data }), ...(binaryData && { binaryData }) };
  return { ...(apiVersion && { apiVersion }), ...(kind && { kind }), metadata: identity, ...rest };
}
