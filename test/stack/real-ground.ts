import type { Terrain } from './ground.ts';

/** Real nodes. */
export const REAL: Terrain = {
  buildOsImage: () => Promise.reject(new Error('there are no real nodes yet')),
  lay: () => Promise.reject(new Error('there are no real nodes yet')),
};
