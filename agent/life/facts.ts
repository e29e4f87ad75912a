import type { ConfigReport } from '../config/life/report.ts';
import type { NodeStateSpec } from '#api/node-state.ts';
import type { EngineStatus } from '../slots/engine.ts';
import type { AgentRecord, Failure } from '../record/record.ts';
import type { CheckResult } from '../health/gate.ts';
import type { HostFacts } from '../boot/host.ts';

export type Wanted = NonNullable<NodeStateSpec['update']>;

/** A wish that names what to fetch. */
export type Stageable = Wanted & { version: string; payload: NonNullable<Wanted['payload']> };

/** What identifies something to be staged. */
export interface Target {
  version: string;
  attempt: number;
  manifestSHA256?: string | undefined;
}

/** What this process is doing beside the loop, or did; gone when it is killed. */
export interface Work {
  /** Being written or read back now. */
  busy?: { task: 'stage' | 'recheck'; target: Target; since: number };
  /** The grant for which the staged image was read back once more; the slot may have lain there for weeks. */
  verifiedFor?: string;
  /** Digest of the staged image that this process saw on the medium itself. */
  verified?: string;
  /** When the host last agreed to reboot, by the clock that nobody sets. */
  rebootAskedAt?: number;
  /** Somebody on the machine keeps it from rebooting; asked again after `untilMs`, by the clock that nobody sets. */
  held?: { error: Failure; untilMs: number };
  /** A grant that turned out not to be for us; its id is never used again. */
  refusedGrant?: string;
  /** The last round of the gate's checks. */
  checks?: readonly CheckResult[];
}

/** Everything that the next step follows from. `now` is in milliseconds since 1970. */
export interface Facts {
  now: number;
  /** By a clock that nobody sets, from any beginning. */
  monotonicMs: number;
  /** Since the boot, by a clock that nobody sets; undefined where the host has none. */
  uptimeMs?: number | undefined;
  host: HostFacts;
  /** Undefined on a machine without slots that careen knows. */
  engine?: EngineStatus | undefined;
  record: AgentRecord;
  /** Undefined while there is no NodeState, or none that the agent could read yet. */
  spec?: NodeStateSpec | undefined;
  work: Work;
  /** What there is to say of the configuration; undefined where this agent looks after none. */
  config?: ConfigReport | undefined;
}
