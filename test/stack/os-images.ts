import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';

export interface OsImage {
  path: string;
  version: string;
  /** `no-kubelet` exists on real nodes only. */
  behaviour: RealBehaviour;
}

/** Builds the content of an OS slot for one kind of machines. */
export type OsImageBuilder = (image: OsImage) => Promise<void>;
