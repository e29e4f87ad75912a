import type { KubeObject } from '#api/meta.ts';
import { Connection } from './connection.ts';
import { isKubeError } from './error.ts';
import type { Plugins } from './kubeconfig.ts';
import { TokenBucket } from './token-bucket.ts';
import { type CallOptions, type Fence, type OnRequest, type Query, Transport } from './transport.ts';
import { type WatchEvent, watchEvents, type WatchOptions } from './watch.ts';

export type { CallOptions, Query } from './transport.ts';

export interface LoadOptions {
  /** Path of a kubeconfig; without it the pod's service account. The user's own kubeconfig is never taken by itself. */
  kubeconfig?: string | undefined;
  /** `pluginCredentials`, for kubeconfigs with exec plugins and the like; the agent does without. */
  plugins?: Plugins | undefined;
  userAgent: string;
  /** Requests a second, 20 by default; bursts of twice as many. */
  qps?: number | undefined;
  onRequest?: OnRequest | undefined;
}

export interface List<T> {
  items: T[];
  resourceVersion: string;
}

export interface Table {
  columns: string[];
  rows: unknown[][];
  resourceVersion: string;
}

export interface ListOptions<T> extends CallOptions {
  /** Applied to each object as its page arrives, so that what is dropped is never held for the whole list. */
  strip?: ((object: T) => T) | undefined;
}

export interface DeleteOptions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
}

export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: string;
  from?: string;
  value?: unknown;
}

interface Page<T> {
  apiVersion?: string;
  kind?: string;
  items?: T[] | null;
  metadata?: { resourceVersion?: string; continue?: string };
}

const PAGE = 500;
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/**
 * The Kubernetes API as raw JSON over one connection pool. Paths are API paths
 * (`/apis/careen.dev/v1alpha1/nodestates/n1/status`). Every method throws a KubeError, or the reason of
 * the caller's own signal.
 *
 * @example
 * const client = KubeClient.load({ userAgent: 'careen-update' });
 * const node = await client.get<Node>('/api/v1/nodes/n1');
 */
export class KubeClient {
  readonly #transport: Transport;

  private constructor(transport: Transport) {
    this.#transport = transport;
  }

  static load({ kubeconfig, plugins, userAgent, qps = 20, onRequest }: LoadOptions): KubeClient {
    const bucket = new TokenBucket({ qps, burst: qps * 2 });
    const transport = new Transport(new Connection(kubeconfig, plugins), userAgent, bucket);
    if (onRequest) transport.onRequest = onRequest;
    return new KubeClient(transport);
  }

  /** From now on `fence` is called right before each write is sent, and refuses it by throwing. */
  fenceWrites(fence: Fence): void {
    this.#transport.fence = fence;
  }

  get<T>(path: string, query?: Query, options?: CallOptions): Promise<T> {
    return this.#transport.ask<T>({ method: 'GET', path, query, ...options });
  }

  /** All objects, read in pages of one consistent snapshot. */
  async list<T>(path: string, query?: Query, options: ListOptions<T> = {}): Promise<List<T>> {
    try {
      return await this.#pages(path, query, options);
    } catch (error) {
      // The snapshot was compacted away between two pages: one more time from the start.
      if (!isKubeError(error, 'Gone')) throw error;
      return this.#pages(path, query, options);
    }
  }

  /** The server's own table, without the objects: a consistent read of all names and columns, cheap. */
  async table(path: string, query?: Query, options?: CallOptions): Promise<Table> {
    const answer = await this.#transport.ask<{
      columnDefinitions: { name: string }[];
      rows?: { cells: unknown[] }[] | null;
      metadata?: { resourceVersion?: string };
    }>({ method: 'GET', path, query: { includeObject: 'None', ...query }, accept: TABLE, ...options });
    return {
      columns: answer.columnDefinitions.map((column) => column.name),
      rows: (answer.rows ?? []).map((row) => row.cells),
      resourceVersion: answer.metadata?.resourceVersion ?? '',
    };
  }

  create<T>(path: string, body: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.#transport.ask<T>({ method: 'POST', path, query, body, ...options });
  }

  /** PUT: compare-and-swap when the body carries metadata.resourceVersion. */
  replace<T>(path: string, body: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.#transport.ask<T>({ method: 'PUT', path, query, body, ...options });
  }

  mergePatch<T>(path: string, body: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.#patch<T>('application/merge-patch+json', path, body, query, options);
  }

  jsonPatch<T>(
    path: string,
    operations: readonly JsonPatchOperation[],
    query?: Query,
    options?: CallOptions,
  ): Promise<T> {
    return this.#patch<T>('application/json-patch+json', path, operations, query, options);
  }

  /** Server-side apply. With metadata.uid in the body it never creates; with metadata.resourceVersion it compares. */
  apply<T>(
    path: string,
    body: unknown,
    { fieldManager, force = false }: { fieldManager: string; force?: boolean | undefined },
    options?: CallOptions,
  ): Promise<T> {
    return this.#patch<T>('application/apply-patch+yaml', path, body, { fieldManager, force }, options);
  }

  /** Deletes; with `uid` or `resourceVersion` only if they still match (else `Conflict`). */
  async delete(path: string, deletion: DeleteOptions = {}, options?: CallOptions): Promise<void> {
    const { uid, resourceVersion, ...rest } = deletion;
    const preconditions = { uid, resourceVersion };
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, preconditions };
    await this.#transport.ask({ method: 'DELETE', path, body, ...options });
  }

  /** One watch, event by event, until the server closes it; see `watchEvents`. */
  watch<T>(path: string, query: Query, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    return watchEvents<T>(this.#transport, path, query, options);
  }

  /** Ends all connections; calls in flight fail. */
  close(): Promise<void> {
    return this.#transport.connection.close();
  }

  #patch<T>(
    contentType: string,
    path: string,
    body: unknown,
    query: Query | undefined,
    options: CallOptions | undefined,
  ): Promise<T> {
    return this.#transport.ask<T>({ method: 'PATCH', path, query, body, contentType, ...options });
  }

  async #pages<T>(path: string, query: Query | undefined, options: ListOptions<T>): Promise<List<T>> {
    const { strip = (object: T) => object, ...call } = options;
    const items: T[] = [];
    for (let next: string | undefined; ;) {
      const page = await this.get<Page<T>>(path, { limit: PAGE, ...query, continue: next }, call);
      for (const item of page.items ?? []) items.push(strip(named(item, page)));
      next = page.metadata?.continue || undefined;
      if (next === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
    }
  }
}

/** Items of a list of built-in kinds do not carry their kind; watch events do. Here both do. */
function named<T>(item: T, { apiVersion, kind = '' }: Page<T>): T {
  const object = item as T & KubeObject;
  if (apiVersion !== undefined) object.apiVersion ??= apiVersion;
  object.kind ??= kind.replace(/List$/, '');
  return object;
}
