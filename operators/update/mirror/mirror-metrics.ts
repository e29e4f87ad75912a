import { Counter, Gauge, type Registry } from 'prom-client';
import { MirrorError, type MirrorErrorCode } from './mirror-error.ts';
import type { ServedBytes } from './serve/payload-server.ts';
import { treeBytes, type Tree } from './store/tree.ts';

/** What speaks against the files themselves; the rest speaks against the way to them. */
const OF_FILES = [
  'SizeMismatch',
  'DigestMismatch',
  'PayloadMalformed',
  'PayloadCorrupt',
  'KeyUnknown',
  'ManifestInvalid',
] as const satisfies MirrorErrorCode[];
/** Of a file that was verified, and is not any more what it was. */
const STORED = 'StoredCorrupt';
const RESULTS = ['hit', 'miss', 'unavailable', 'refused'] as const;

/** What the mirror fetched, holds and served. */
export class MirrorMetrics {
  readonly #requests: Counter<'result'>;
  readonly #served: Counter;
  readonly #fetched: Counter;
  readonly #fetches: Counter<'result'>;
  readonly #failures: Counter<'code'>;
  readonly #evictions: Counter;
  readonly #bytes: Gauge;
  readonly #releases: Gauge;

  constructor(registry: Registry, limit: number) {
    const of = <L extends string = never>(name: string, help: string, labelNames: L[] = []) => ({
      name: `careen_mirror_${name}`,
      help,
      labelNames,
      registers: [registry],
    });
    this.#requests = new Counter(of('requests_total', 'Requests for payloads by result.', ['result']));
    this.#served = new Counter(of('served_bytes_total', 'Bytes of payloads sent to machines.'));
    this.#fetched = new Counter(of('fetched_bytes_total', 'Bytes of payloads that came from upstream.'));
    this.#fetches = new Counter(of('fetches_total', 'Releases fetched, by result.', ['result']));
    this.#failures = new Counter(
      of('verification_failures_total', 'Payloads that are not what they should be, by code.', ['code']),
    );
    this.#evictions = new Counter(of('evictions_total', 'Releases dropped: not wanted, or for room.'));
    this.#bytes = new Gauge(of('bytes', 'Bytes of the payloads that are held.'));
    this.#releases = new Gauge(of('releases', 'Releases that are held, a variant each.'));
    new Gauge(of('limit_bytes', 'Bytes that may be held.')).set(limit);
    for (const result of RESULTS) this.#requests.inc({ result }, 0);
    for (const result of ['held', 'failed']) this.#fetches.inc({ result }, 0);
    for (const code of [...OF_FILES, STORED]) this.#failures.inc({ code }, 0);
  }

  readonly answered = ({ status, bytes }: ServedBytes): void => {
    this.#requests.inc({ result: resultOf(status) });
    this.#served.inc(bytes);
  };

  readonly received = (bytes: number): void => this.#fetched.inc(bytes);

  /** A release is there, or is not for this reason. */
  fetched(error?: unknown): void {
    this.#fetches.inc({ result: error === undefined ? 'held' : 'failed' });
    const code = error instanceof MirrorError ? error.code : undefined;
    const ofFiles = OF_FILES.find((one) => one === code);
    if (ofFiles !== undefined) this.#failures.inc({ code: ofFiles });
  }

  readonly corrupt = (): void => this.#failures.inc({ code: STORED });

  evicted(): void {
    this.#evictions.inc();
  }

  held(trees: readonly Tree[]): void {
    this.#releases.set(trees.length);
    this.#bytes.set(trees.reduce((sum, tree) => sum + treeBytes(tree), 0));
  }
}

function resultOf(status: number): (typeof RESULTS)[number] {
  if (status === 404) return 'miss';
  if (status === 503) return 'unavailable';
  return status === 405 || status === 416 ? 'refused' : 'hit';
}
