import type { NodeConfig } from '#api/kinds.ts';
import { sha256 } from '#api/config-hash.ts';
import type { Node } from '#api/meta.ts';
import { isReady } from '#api/meta.ts';
import type { RenderedConfigSpec } from '#api/rendered-config.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Desired, Wanted } from '../desire/desires.ts';
import { differing } from '../desire/difference.ts';
import type { Reading } from '../desire/read-config.ts';
import { secretsOf } from '../render/identity.ts';
import type { Lookup } from '../render/rendered.ts';
import type { NodeFacts, Target } from '../rollout/facts.ts';
import type { ConfigFacts } from '../rollout/rollout.ts';

type Sources = RenderedConfigSpec['sources'];

export interface SnapshotInput {
  readings: readonly Reading[];
  wanted: Wanted;
  nodes: readonly Node[];
  stateOf: (node: Node) => NodeState | undefined;
  /** Sources of a RenderedConfig that there is. */
  sourcesOf: (rendered: string) => Sources | undefined;
  secret: Lookup;
  fingerprint: (bytes: Uint8Array | undefined) => string;
}

/** Everything that rollouts are planned from. */
export function snapshot(input: SnapshotInput): { nodes: NodeFacts[]; configs: ConfigFacts[] } {
  const nodes = input.nodes.map((node) =>
    factsOf(node, input.stateOf(node), input.wanted.desired.get(node.metadata.name), input.sourcesOf),
  );
  const hashes = contentHashes(input.wanted);
  const configs = input.readings.map(({ config, invalid }): ConfigFacts => ({
    name: config.metadata.name,
    spec: config.spec,
    hash: invalid === undefined ? rolloutHash(config, hashes.get(config.metadata.name), input) : undefined,
    previous: config.status?.rollout,
  }));
  return { nodes, configs: configs.filter((_, index) => input.readings[index]?.invalid === undefined) };
}

function factsOf(
  node: Node,
  state: NodeState | undefined,
  desired: Desired | undefined,
  sourcesOf: SnapshotInput['sourcesOf'],
): NodeFacts {
  const { name, labels = {} } = node.metadata;
  const bootID = node.status?.nodeInfo?.bootID;
  const status = state?.status?.config;
  return {
    name,
    labels,
    // An agent writes only what changes, so a report has no age; its boot ID says whether it is of today.
    heard: isReady(node) && bootID !== undefined && state?.status?.bootID === bootID,
    wanted: state?.spec?.config ?? {},
    status,
    target: targetOf(desired, status?.applied, sourcesOf(status?.appliedRendered ?? '')),
  };
}

function targetOf(
  desired: Desired | undefined,
  applied: string | undefined,
  inForce: Sources | undefined,
): Target {
  if (desired === undefined || desired.kind === 'none') return { kind: 'none' };
  const configs = desired.configs.map(({ metadata }) => metadata.name);
  if (desired.kind === 'obstacle') return { kind: 'obstacle', verdict: desired.verdict, configs };
  const { rendered, hash } = desired;
  const differs = applied === hash ? [] : differing(desired.configs, rendered.sources, inForce);
  return { kind: 'config', rendered: rendered.name, hash, configs, differs };
}

/** By config: of what it says, as far as it can be rendered anywhere. */
function contentHashes({ sets }: Wanted): Map<string, string> {
  return new Map(
    sets.flatMap(({ rendered }) =>
      rendered.ok ? rendered.sources.map(({ name, hash }) => [name, hash] as const) : [],
    ),
  );
}

/** A secret that is rotated is rolled out like any change, and its hash gives nothing of it away. */
function rolloutHash(
  config: NodeConfig,
  content: string | undefined,
  { secret, fingerprint }: SnapshotInput,
): string | undefined {
  const secrets = secretsOf(config).map((ref) => fingerprint(secret(ref)));
  if (content === undefined || secrets.length === 0) return content;
  return sha256([content, ...secrets].join(' '));
}
