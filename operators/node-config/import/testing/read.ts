import assert from 'node:assert/strict';
import { importConfig, type ImportOptions } from '../import-config.ts';
import type { Sections } from '../spec.ts';

/** What a text comes to as a NodeConfig for every node; nothing of it may be refused. */
export function read(text: string, options: ImportOptions = {}): Sections {
  const { objects, refused } = importConfig(text, options);
  assert.deepEqual(refused, []);
  const config = objects.find(({ kind }) => kind === 'NodeConfig');
  assert.ok(config !== undefined);
  const { nodeSelector: _, ...sections } = config.spec;
  return sections as Sections;
}

/** What is refused of a text, and why. */
export function refusals(text: string, options: ImportOptions = {}): [string, string][] {
  return importConfig(text, options).refused.map(({ what, message }) => [what, message]);
}
