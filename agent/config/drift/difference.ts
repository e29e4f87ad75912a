import type { ConfigStatus } from '#api/node-config-state.ts';

export type DriftKind = NonNullable<ConfigStatus['drift']>[number]['kind'];

/** Something that somebody else has changed. */
export interface Difference {
  /** A path, or the name of a unit. */
  path: string;
  kind: DriftKind;
  policy: 'Heal' | 'Report';
}
