import type { Pid } from './measure.ts';

/** What is measured: the store itself, or a server before it. */
export interface Subject {
  readonly pid: Pid;
  /** A machine that is at its target asks. */
  steady(machine: number): Promise<unknown>;
  /** A machine of the group `held-<size>` that must wait asks. */
  held(size: number, machine: number): Promise<unknown>;
  /** A machine is given the update, so that it may begin. */
  begin(machine: number): Promise<unknown>;
  /** A machine tells that its download begins. */
  event(machine: number): Promise<unknown>;
  /** Moves the clock on, in ms: a machine that asks twice within a minute costs no write. */
  pass(ms: number): Promise<void>;
}

/** How much of each shape, and how often. */
export const RUNS = 3;
export const MACHINES = 100_000;
export const HELD_SIZES = [1000, 10_000, 100_000];
export const HISTORY = 400_000;
