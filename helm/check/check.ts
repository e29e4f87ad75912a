import type { KubeClient } from '#runtime/client/client.ts';

/** Where a release is, and how far a check may go. */
export interface Release {
  client: KubeClient;
  namespace: string;
  agentNamespace: string;
  /** Ask every replica itself over the pod network, not only the API server about it. */
  dial: boolean;
}

/** What is well, in words. */
export interface Well {
  well: string;
}

/** What is not well, in words; it may become so. */
export interface Unwell {
  unwell: string;
}

/** Looks at one part of a release. Errors count as unwell. */
export type Check = (release: Release) => Promise<Well | Unwell>;
