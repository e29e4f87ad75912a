import { sha256 } from '#api/config-hash.ts';
import type { NodeConfig } from '#api/kinds.ts';
import { buildDocument } from './build-document.ts';
import type { Lowered } from './claims.ts';
import { conflictingRules } from './disruption.ts';
import { gapsOf } from './gaps.ts';
import { contentHash } from './identity.ts';
import { lower } from './lower.ts';
import { merge } from './merge.ts';
import type { Conflict, Lookup, NotRendered, Problem, Rendered } from './rendered.ts';
import { RENDERED_LIMIT, tooLarge } from './size.ts';

/** One NodeConfig, taken apart once for all sets that it is in. */
export interface Part {
  source: Extract<Rendered, { ok: true }>['sources'][number];
  lowered: Lowered;
  problems: readonly Problem[];
}

export function partOf(config: NodeConfig, configMaps: Lookup): Part {
  const { name, uid = '', generation = 0 } = config.metadata;
  return {
    source: { name, uid, generation, hash: contentHash(config, configMaps) },
    ...lower(config, configMaps),
  };
}

/** What a set of NodeConfigs comes to. Neither the order of the set nor that of a config's lists changes a byte. */
export function renderSet(configs: readonly NodeConfig[], configMaps: Lookup): Rendered {
  return renderParts(configs.map((config) => partOf(config, configMaps)));
}

export function renderParts(given: readonly Part[]): Rendered {
  const parts = given.toSorted((a, b) => (a.source.name < b.source.name ? -1 : 1));
  const problems = parts.flatMap((part) => part.problems);
  if (problems.length > 0) return notRendered(reasonOf(problems), [], problems);
  const sets = parts.map(({ lowered }) => lowered);
  const merged = merge(sets.map(({ claims }) => claims));
  const conflicts = [...merged.conflicts, ...conflictingRules(sets)].toSorted(byWhat);
  if (conflicts.length > 0) return notRendered('Conflicted', conflicts, []);
  const document = buildDocument(merged, sets);
  const json = JSON.stringify(document);
  if (Buffer.byteLength(json) > RENDERED_LIMIT)
    return notRendered('TooLarge', [], [tooLarge(document, json)]);
  const sources = parts.map(({ source }) => source);
  return {
    ok: true,
    name: `rendered-${sha256(json).slice(0, 40)}`,
    document,
    json,
    sources,
    gaps: gapsOf(document),
  };
}

function byWhat(a: Conflict, b: Conflict): number {
  const [one, other] = [a, b].map(({ what, owners }) => [what, ...owners].join(' '));
  return (one ?? '') < (other ?? '') ? -1 : 1;
}

/** A config that is wrong is wrong before an object is missing. */
function reasonOf(problems: readonly Problem[]): NotRendered['reason'] {
  return problems.some(({ reason }) => reason === 'ConfigInvalid') ? 'ConfigInvalid' : 'SecretMissing';
}

function notRendered(
  reason: NotRendered['reason'],
  conflicts: readonly Conflict[],
  problems: readonly Problem[],
): NotRendered {
  const sentences = [
    ...conflicts.map(({ what, owners }) => `${owners.join(' and ')} want different things of ${what}`),
    ...problems.map(({ config, place, message }) => `${config}: ${place}: ${message}`),
  ];
  return { ok: false, reason, message: sentences.join('; '), conflicts, problems };
}
