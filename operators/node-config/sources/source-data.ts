import type { KubeObject } from '#api/meta.ts';
import type { Data } from './calm-objects.ts';

/** A Secret or a ConfigMap. */
export interface Source extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export type SourceKind = 'secrets' | 'configmaps';

/** Its bytes by key: a Secret has them in base64, a ConfigMap as text or in base64. */
export function dataOf(kind: SourceKind, { data = {}, binaryData = {} }: Source): Data {
  const texts = bytes(data, kind === 'secrets' ? 'base64' : 'utf8');
  return Object.fromEntries([...texts, ...bytes(binaryData, 'base64')]);
}

function bytes(values: Record<string, string>, encoding: 'base64' | 'utf8'): [string, Buffer][] {
  return Object.entries(values).map(([key, text]) => [key, Buffer.from(text, encoding)]);
}
