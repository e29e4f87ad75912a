import { BEHAVIOURS } from '../../os-image.ts';

/**
 * How an image of a real node behaves when it is booted, besides what the light machines' images can do:
 * `no-kubelet`: the kubelet never runs, so neither does any agent; only what the host itself does brings it back.
 */
export const REAL_BEHAVIOURS = [...BEHAVIOURS, 'no-kubelet'] as const;
export type RealBehaviour = (typeof REAL_BEHAVIOURS)[number];
