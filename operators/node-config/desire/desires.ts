import { setImmediate as nextTurn } from 'node:timers/promises';
import { documentHash } from '#api/config-hash.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { ConfigReason, Verdict } from '#api/reasons.ts';
import { fill } from '../render/fill.ts';
import type { Conflict, Lookup, RenderedDocument } from '../render/rendered.ts';
import type { NodeSet } from '../render/renderer.ts';
import { Renderer } from '../render/renderer.ts';
import type { Reading } from './read-config.ts';
import { mayMean } from './read-config.ts';

/** What the NodeConfigs that select a node come to for it. */
export type Desired =
  | { kind: 'none' }
  | { kind: 'bundle'; rendered: RenderedDocument; hash: string; configs: readonly NodeConfig[] }
  | {
      kind: 'obstacle';
      verdict: Verdict<ConfigReason>;
      conflicts: readonly Conflict[];
      configs: readonly NodeConfig[];
    };

export interface Sources {
  secret: Lookup;
  configMap: Lookup;
  /** Goes up whenever a lookup may answer otherwise. */
  readonly version: number;
}

/** All that is wanted of all nodes. */
export interface Wanted {
  /** By node. */
  desired: ReadonlyMap<string, Desired>;
  sets: readonly NodeSet[];
}

interface Kept {
  rendered: RenderedDocument;
  node: string;
  desired: Desired;
}

/** How long other work waits for this at most. */
const SLICE_MS = 50;

/** Says what every node should have; what has not changed is not worked out again. */
export class Desires {
  readonly #sources: Sources;
  readonly #salt: (nodeUID: string) => string;
  readonly #renderer = new Renderer();
  #kept = new Map<string, Kept>();
  #version = -1;
  /** Hashes of bundles that turned out not to fit, by node. */
  readonly #tooLarge = new Map<string, { hash: string; message: string }>();

  /** `salt` is that of a Node's UID. */
  constructor(sources: Sources, salt: (nodeUID: string) => string) {
    this.#sources = sources;
    this.#salt = salt;
  }

  /** Thousands of large documents take seconds: between slices of work the leader renews its lease. */
  async read(readings: readonly Reading[], nodes: readonly Node[]): Promise<Wanted> {
    if (this.#sources.version !== this.#version) this.#kept.clear();
    this.#version = this.#sources.version;
    const { broken, free } = this.#unreadable(readings, nodes);
    const valid = readings.filter(({ invalid }) => invalid === undefined).map(({ config }) => config);
    const sets = this.#renderer.render(valid, free, this.#sources.configMap);
    const kept = new Map<string, Kept>();
    const desired = new Map<string, Desired>(broken);
    let sliceSince = performance.now();
    for (const set of sets) {
      for (const node of set.nodes) {
        desired.set(node.metadata.name, this.#of(node, set, kept));
        if (performance.now() - sliceSince < SLICE_MS) continue;
        await nextTurn();
        sliceSince = performance.now();
      }
    }
    for (const { metadata } of nodes)
      if (!desired.has(metadata.name)) desired.set(metadata.name, { kind: 'none' });
    this.#kept = kept;
    return { desired, sets };
  }

  /** Notes that the node's bundle of this hash does not fit into its Secret. */
  tooLarge(node: string, hash: string, message: string): void {
    this.#tooLarge.set(node, { hash, message });
    this.#kept.delete(node);
  }

  /** Nodes that a config which cannot be read may be meant for keep what they have. */
  #unreadable(readings: readonly Reading[], nodes: readonly Node[]) {
    const invalid = readings.filter((reading) => reading.invalid !== undefined);
    const broken = new Map<string, Desired>();
    if (invalid.length === 0) return { broken, free: nodes };
    for (const { metadata } of nodes) {
      const found = invalid.find(({ config }) => mayMean(config, metadata.labels));
      if (found === undefined) continue;
      const message = `NodeConfig ${found.config.metadata.name}: ${found.invalid}`;
      broken.set(metadata.name, obstacle('ConfigInvalid', message, [found.config]));
    }
    return { broken, free: nodes.filter(({ metadata }) => !broken.has(metadata.name)) };
  }

  #of(node: Node, { rendered, configs }: NodeSet, kept: Map<string, Kept>): Desired {
    if (!rendered.ok) return obstacle(rendered.reason, rendered.message, configs, rendered.conflicts);
    const { name, uid = '' } = node.metadata;
    const identity = rendered.gaps.length === 0 ? uid : JSON.stringify(node);
    const before = this.#kept.get(name);
    const isSame = before?.rendered === rendered && before.node === identity;
    const desired = isSame ? { ...before.desired, configs } : this.#fill(node, rendered, configs);
    kept.set(name, { rendered, node: identity, desired });
    return desired;
  }

  #fill(node: Node, rendered: RenderedDocument, configs: readonly NodeConfig[]): Desired {
    const { name, uid = '' } = node.metadata;
    const filled = fill(rendered, node, this.#sources.secret);
    if (!filled.ok) return obstacle(filled.reason, filled.message, configs);
    const hash = documentHash(filled.json, this.#salt(uid));
    const known = this.#tooLarge.get(name);
    if (known?.hash === hash) return obstacle('TooLarge', known.message, configs);
    this.#tooLarge.delete(name);
    return { kind: 'bundle', rendered, hash, configs };
  }
}

function obstacle(
  reason: ConfigReason,
  message: string,
  configs: readonly NodeConfig[],
  conflicts: readonly Conflict[] = [],
): Desired {
  return { kind: 'obstacle', verdict: { reason, message }, conflicts, configs };
}
