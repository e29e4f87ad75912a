import type { NodeConfig } from '#api/kinds.ts';
import type { NodeConfigSpec } from '#api/node-config.ts';
import type { Problem } from './rendered.ts';

/** A NodeConfig's spec, in which its Ignition document has become items of the spec's own sections. */
export function withIgnition({ metadata, spec }: NodeConfig): { spec: NodeConfigSpec; problems: Problem[] } {
  if (spec.ignition === undefined) return { spec, problems: [] };
  const message = 'this version of careen does not read Ignition documents; give files and units';
  return { spec, problems: [{ config: metadata.name, reason: 'ConfigInvalid', place: 'ignition', message }] };
}
