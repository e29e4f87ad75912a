import type { Behaviour } from '#test/machine/os-image.ts';

/** How an image behaves when it is booted; `no-kubelet` exists on real nodes only: its kubelet always fails. */
export type OsBehaviour = Behaviour | 'no-kubelet';

export interface OsImage {
  path: string;
  version: string;
  behaviour: OsBehaviour;
}

/** Builds the content of an OS slot for one kind of machines. */
export type OsImageBuilder = (image: OsImage) => Promise<void>;
