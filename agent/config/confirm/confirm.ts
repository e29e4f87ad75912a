import type { ActionStep } from '../actions/steps.ts';

/** A change that is to be undone unless somebody confirms it. */
export interface Unconfirmed {
  /** How long it may stand, counted anew from each boot, ms. */
  timeoutMs: number;
  /** How many boots may begin with it. The one after that undoes it before the kubelet starts. */
  boots: number;
  /** Lines of a POSIX shell script that undo the files, or end it where the change is confirmed. */
  files: readonly string[];
  /** What is to be done once the files are back. */
  undo: readonly ActionStep[];
}

/** Undoes a change from outside the agent: also one that took the agent, the network or the kubelet with it. */
export interface Confirmation {
  /** Returns once it would survive a power cut. Rejects with `ConfigError`: nothing may be changed then. */
  arm(change: Unconfirmed): Promise<void>;
  /** The change counts, or is undone. May be called whether it is armed or not; never rejects. */
  disarm(): Promise<void>;
}
