import type { KubeObject } from '#api/meta.ts';

/** `name`, or `namespace/name`: what names one object of a kind. */
export function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}
