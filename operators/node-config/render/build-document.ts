import { sorted } from '#api/config-hash.ts';
import type { DocumentDirectory, DocumentFile, DocumentLink } from '#api/config-document.ts';
import type { ConfigDocument, DocumentKeys, DocumentUnit } from '#api/config-document.ts';
import { DOCUMENT_SCHEMA } from '#api/config-document.ts';
import type { Won } from './claim.ts';
import type { Lowered, PathValue } from './claims.ts';
import { longest } from './confirm.ts';
import { disruptionRules } from './disruption.ts';
import { driftOf, strictest } from './drift.ts';
import { generatedFile } from './generated-files.ts';
import { hostnameIn } from './hostname.ts';
import { kernelArguments } from './kernel-arguments.ts';
import type { Merged } from './merge.ts';
import { unitOfPath } from './unit-paths.ts';

/** The document of a set of NodeConfigs that agree. Lists are sorted by what their items are named by. */
export function buildDocument(merged: Merged, sets: readonly Lowered[]): ConfigDocument {
  const paths = [...merged.paths.values()].toSorted(byKey);
  const files = paths.flatMap((won) => fileOf(won, merged));
  const hostname = hostnameIn(files);
  return sorted({
    schema: DOCUMENT_SCHEMA,
    directories: paths.flatMap(directoryOf),
    files,
    links: paths.flatMap(linkOf),
    units: unitsOf(merged),
    authorizedKeys: keysOf(merged),
    ...(hostname !== undefined && { hostname }),
    kernelArguments: kernelArguments(merged, sets),
    disruption: disruptionRules(sets, unitNames(merged)),
    validate: [...merged.validate.values()]
      .toSorted(byKey)
      .map(({ key, value }) => ({ path: key, argv: value })),
    probes: [...merged.probes.values()].toSorted(byKey).map(({ value }) => value),
    confirm: longest(sets),
  });
}

function directoryOf(won: Won<PathValue>): DocumentDirectory[] {
  if (won.value.kind !== 'directory') return [];
  const { kind: _, ...rest } = won.value;
  return [{ ...rest, ...placeOf(won) }];
}

function linkOf(won: Won<PathValue>): DocumentLink[] {
  if (won.value.kind !== 'link') return [];
  const { kind: _, ...rest } = won.value;
  return [{ ...rest, ...placeOf(won) }];
}

function fileOf(won: Won<PathValue>, merged: Merged): DocumentFile[] {
  if (won.value.kind === 'generated') return [generatedFile(won.value.section, merged)];
  if (won.value.kind !== 'file') return [];
  const { kind: _, ...rest } = won.value;
  return [{ ...rest, ...placeOf(won) }];
}

function placeOf({ key: path, critical, from }: Won<PathValue>) {
  return { path, ...(critical && { critical }), from };
}

function unitsOf(merged: Merged): DocumentUnit[] {
  const { units, masked, enabled, states, claims } = merged;
  const names = new Set([...units.keys(), ...masked.keys()]);
  return [...names].toSorted().map((name) => {
    const mask = masked.get(name)?.value ?? false;
    const about = [units, masked, enabled, states].flatMap((section) => section.get(name) ?? []);
    const from = [...new Set(about.flatMap((won) => won.from))].toSorted();
    const on = enabled.get(name)?.value;
    const state = states.get(name)?.value;
    return {
      name,
      mask,
      // Who masks it has the last word, else the claim would not have won.
      ...(on !== undefined && !(mask && on) && { enabled: on }),
      ...(state !== undefined && !(mask && state === 'Started') && { state }),
      drift: driftOf(claims.units, name, from),
      ...(about.some(({ critical }) => critical) && { critical: true }),
      from,
    };
  });
}

/** Every unit that a change may concern, drop-ins by a path included. */
function unitNames(merged: Merged): string[] {
  const byPath = [...merged.paths.keys()].flatMap((path) => unitOfPath(path)?.unit ?? []);
  return [...new Set([...merged.units.keys(), ...merged.masked.keys(), ...byPath])].toSorted();
}

function keysOf({ keys, claims }: Merged): DocumentKeys[] {
  const owned = claims.keys.filter((claim) => keys.get(claim.key)?.value === claim.value);
  return [...Map.groupBy(owned, ({ user }) => user)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([user, all]) => ({
      user,
      keys: [...Map.groupBy(all, ({ key }) => key).values()].map(oneLine).toSorted(),
      drift: strictest(all),
      from: [...new Set(all.map(({ owner }) => owner))].toSorted(),
    }));
}

/** The same key with another comment is the same key. */
function oneLine(claims: readonly { line: string }[]): string {
  return claims.map(({ line }) => line).toSorted()[0] ?? '';
}

function byKey(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : 1;
}
