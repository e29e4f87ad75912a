import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { API_VERSION } from '#api/group.ts';
import type { NodeConfig } from '#api/kinds.ts';
import { nodeConfigSpec } from '#api/node-config.ts';

/** A file by its path; `-` is standard input. @throws Error that names it */
export async function readInput(path: string): Promise<string> {
  if (path === '-') return text(process.stdin);
  return readFile(path, 'utf8').catch((cause: Error) => {
    throw new Error(`cannot read ${path}: ${cause.message}`, { cause });
  });
}

/** The NodeConfigs in a file of manifests, with defaults as the API server fills them in; others are left out. */
export function nodeConfigsIn(source: string, path: string): NodeConfig[] {
  return parseAllDocuments(source).flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw new Error(`${path}: ${fault.message}`);
    const object = document.toJS() as Partial<NodeConfig> | null;
    return object?.kind === 'NodeConfig' ? [checked(object, path)] : [];
  });
}

function checked({ apiVersion, metadata, spec }: Partial<NodeConfig>, path: string): NodeConfig {
  const name = metadata?.name;
  if (apiVersion !== API_VERSION) throw new Error(`${path}: apiVersion of a NodeConfig is ${API_VERSION}`);
  if (metadata === undefined || name === undefined)
    throw new Error(`${path}: a NodeConfig has no metadata.name`);
  const parsed = nodeConfigSpec.safeParse(spec);
  if (parsed.success) return { apiVersion, kind: 'NodeConfig', metadata, spec: parsed.data };
  const faults = parsed.error.issues.map(({ path: place, message }) => `spec.${place.join('.')}: ${message}`);
  throw new Error(`${path}: NodeConfig ${name}: ${faults.join('; ')}`);
}

/** The cluster's NodeConfigs as they would be once these were applied. */
export function withApplied(now: readonly NodeConfig[], applied: readonly NodeConfig[]): NodeConfig[] {
  const names = new Set(applied.map(({ metadata }) => metadata.name));
  return [...now.filter(({ metadata }) => !names.has(metadata.name)), ...applied];
}
