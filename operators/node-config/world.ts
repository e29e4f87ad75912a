import { BUNDLE_NAMESPACE, BUNDLE_TYPE } from '#api/config-document.ts';
import { resourcePath } from '#api/group.ts';
import type { NodeConfig, NodeState, RenderedConfig } from '#api/kinds.ts';
import type { KubeObject, Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { InformerOptions } from '#runtime/informer/informer.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { Informers } from '#runtime/informer/informers.ts';
import { Latest } from '#runtime/informer/latest.ts';
import type { NodeObject, NodeObjectKind } from './deliver/node-objects.ts';
import { NODE_LABEL, NODE_OBJECT_KINDS, nodeObjectPath } from './deliver/node-objects.ts';
import { stripNodeObject } from './deliver/strip-node-object.ts';
import { references } from './rendered/references.ts';
import { SourceObjects } from './sources/source-objects.ts';
import { News } from '#runtime/informer/news.ts';
import { stripNode, stripState } from './strip.ts';

/** What changed, in terms of what has to be looked at again. */
export interface Interest {
  /** Something that the plan of all rollouts rests on. */
  plan(): void;
  rendered(name: string, gone?: RenderedConfig): void;
  nodeObject(kind: NodeObjectKind, name: string): void;
  /** RenderedConfigs that a node has, or had until now. */
  state(rendered: Iterable<string>): void;
}

export interface WorldOptions extends Pick<InformerOptions<KubeObject>, 'log' | 'metrics'> {
  client: KubeClient;
  /** Whose Secrets and ConfigMaps NodeConfigs may use. */
  sourceNamespaces: readonly string[];
}

/** The caches that this operator decides from, and who is to look when something in them changes. */
export class World {
  readonly nodes: Informer<Node>;
  readonly configs: Latest<NodeConfig>;
  readonly rendered: Latest<RenderedConfig>;
  readonly states: Latest<NodeState>;
  readonly sources: SourceObjects;
  readonly nodeObjects: Record<NodeObjectKind, Informer<NodeObject>>;
  readonly informers: Informers;
  /** Set while this process leads. */
  interest: Interest | undefined;

  readonly #configs: Informer<NodeConfig>;
  readonly #rendered: Informer<RenderedConfig>;
  readonly #states: Informer<NodeState>;
  readonly #news = new News();
  /** By node: the RenderedConfigs that it has. */
  readonly #renderedOf = new Map<string, string[]>();

  constructor({ sourceNamespaces, ...shared }: WorldOptions) {
    const plan = () => this.interest?.plan();
    this.nodes = new Informer<Node>({
      ...shared,
      path: '/api/v1/nodes',
      strip: stripNode,
      onChange: (name) => this.#nodeChanged(name),
    });
    this.#configs = new Informer<NodeConfig>({
      ...shared,
      path: resourcePath('NodeConfig'),
      onChange: (name) => (this.configs.seen(name), plan()),
    });
    this.#rendered = new Informer<RenderedConfig>({
      ...shared,
      path: resourcePath('RenderedConfig'),
      onChange: (name, object) => this.#renderedChanged(name, object),
    });
    this.#states = new Informer<NodeState>({
      ...shared,
      path: resourcePath('NodeState'),
      strip: stripState,
      onChange: (name) => this.#stateChanged(name),
    });
    this.configs = new Latest(this.#configs);
    this.rendered = new Latest(this.#rendered);
    this.states = new Latest(this.#states);
    this.sources = new SourceObjects({
      ...shared,
      namespaces: sourceNamespaces,
      onChange: plan,
      now: Date.now,
    });
    const ofNodes = NODE_OBJECT_KINDS.map((kind) => [kind, this.#nodeObjects(kind, shared)] as const);
    this.nodeObjects = Object.fromEntries(ofNodes) as Record<NodeObjectKind, Informer<NodeObject>>;
    this.informers = new Informers([
      this.nodes,
      this.#configs,
      this.#rendered,
      this.#states,
      ...Object.values(this.nodeObjects),
      ...this.sources.informers,
    ]);
  }

  async stop(): Promise<void> {
    this.sources.stop();
    await this.informers.stop();
  }

  /** The NodeConfigs that count, as they are now. */
  configList(): NodeConfig[] {
    const all = this.#configs.list().map(({ metadata }) => this.configs.get(metadata.name));
    return all.filter((one) => one !== undefined).filter(isAlive);
  }

  renderedNames(): string[] {
    return this.#rendered.list().map(({ metadata }) => metadata.name);
  }

  stateList(): NodeState[] {
    const all = this.#states.list().map(({ metadata }) => this.states.get(metadata.name));
    return all.filter((one) => one !== undefined);
  }

  #nodeObjects(kind: NodeObjectKind, shared: Omit<WorldOptions, 'sourceNamespaces'>): Informer<NodeObject> {
    const query =
      kind === 'Secret' ? { fieldSelector: `type=${BUNDLE_TYPE}` } : { labelSelector: NODE_LABEL };
    return new Informer<NodeObject>({
      ...shared,
      path: nodeObjectPath(kind),
      query,
      strip: stripNodeObject,
      onChange: (key) => {
        this.interest?.nodeObject(kind, key.slice(BUNDLE_NAMESPACE.length + 1));
        this.interest?.plan();
      },
    });
  }

  #nodeChanged(name: string): void {
    if (this.#news.isNews(`node/${name}`, withoutVersion(this.nodes.get(name)))) this.interest?.plan();
  }

  #renderedChanged(name: string, object: RenderedConfig): void {
    this.rendered.seen(name);
    const isGone = this.#rendered.get(name) === undefined;
    this.interest?.rendered(name, isGone ? object : undefined);
    if (isGone) this.interest?.plan();
  }

  #stateChanged(name: string): void {
    this.states.seen(name);
    const state = this.#states.get(name);
    const { metadata, spec, status } = state ?? {};
    const news = state && [
      metadata?.uid,
      metadata?.ownerReferences,
      spec?.config,
      status?.config,
      status?.bootID,
    ];
    if (!this.#news.isNews(`state/${name}`, news)) return;
    this.interest?.plan();
    const before = this.#renderedOf.get(name) ?? [];
    const next = state === undefined ? [] : [...references([state]).keys()];
    this.#renderedOf.set(name, next);
    this.interest?.state(new Set([...before, ...next]));
  }
}

function withoutVersion(node: Node | undefined): unknown {
  return node && { ...node, metadata: { ...node.metadata, resourceVersion: undefined } };
}

function isAlive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}
