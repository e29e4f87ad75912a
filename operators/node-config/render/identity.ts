import { canonicalJson, sha256 } from '#api/config-hash.ts';
import type { NodeConfig } from '#api/kinds.ts';
import type { KeyRef, Lookup } from './rendered.ts';

/** The same for two snapshots of a config only if they render alike: its spec, and the ConfigMaps that it takes from. */
export function identityOf(config: NodeConfig, configMaps: Lookup): string {
  const { name, uid, generation } = config.metadata;
  const spec =
    uid === undefined || generation === undefined ? sha256(canonicalJson(config.spec)) : generation;
  const contents = configMapsOf(config).map((ref) => {
    const bytes = configMaps(ref);
    return bytes === undefined ? '-' : sha256(bytes);
  });
  return [name, uid, spec, ...contents].join(' ');
}

/**
 * Of what a config says of its nodes, ConfigMaps included: neither whom it is for nor how it rolls out changes it, so
 * that a pause or an approval is no new rollout.
 */
export function contentHash(config: NodeConfig, configMaps: Lookup): string {
  const { nodeSelector: _, paused: _paused, rollout: _rollout, ...says } = config.spec;
  const contents = configMapsOf(config).map((ref) => {
    const bytes = configMaps(ref);
    return bytes === undefined ? null : sha256(bytes);
  });
  return sha256(canonicalJson([says, contents]));
}

/** The ConfigMap keys that a NodeConfig takes content from. */
export function configMapsOf({ spec }: NodeConfig): KeyRef[] {
  return spec.files.flatMap(({ contentsFrom }) => contentsFrom?.configMap ?? []);
}

/** The Secret keys that a NodeConfig takes content from. */
export function secretsOf({ spec }: NodeConfig): KeyRef[] {
  return spec.files.flatMap(({ contentsFrom }) => contentsFrom?.secret ?? []);
}
