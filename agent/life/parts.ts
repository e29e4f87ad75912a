import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { UpdateErrorCode } from '#api/node-state.ts';
import type { Log } from '#runtime/log/log.ts';
import type { ConfigLife } from '../config/life/config-life.ts';
import type { Host } from '../boot/host.ts';
import type { RecordStore } from '../record/record-file.ts';
import type { Reporter, StatusApi } from '../report/reporter.ts';
import type { Staged } from '../record/record.ts';
import type { SlotEngine } from '../slots/engine.ts';
import type { Stageable } from './facts.ts';

/** What the agent asks of the API server; every method throws `KubeError`. */
export interface AgentApi extends StatusApi {
  /** The agent's own Node, live. */
  node(signal?: AbortSignal): Promise<Node>;
  /** The agent's own NodeState, live. */
  nodeState(signal?: AbortSignal): Promise<NodeState>;
}

export interface Progress {
  bytes: number;
  total: number;
  reused: number;
}

export interface StagedImage {
  slot: string;
  partUUID: string;
  digest: string;
  size: number;
}

/** How an image comes into the passive slot. Throws `SlotError`, `PayloadError`, or the signal's reason. */
export interface Stager {
  stage(
    engine: SlotEngine,
    wanted: Stageable,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<StagedImage>;
  /** SHA-256 of the staged image as the medium has it now. */
  digest(engine: SlotEngine, staged: Staged, signal: AbortSignal): Promise<string>;
}

/** Everything around the agent's decisions; a test gives models of them. */
export interface Parts {
  host: Host;
  api: AgentApi;
  records: RecordStore;
  reporter: Pick<Reporter, 'propose' | 'commit' | 'proposed' | 'reported'>;
  stager: Stager;
  /** Whether this process is the machine's one agent; false: another is. Throws `RecordError`. */
  claim(): Promise<boolean>;
  /** Opens the machine's slots; `diskID` is the disk that was used before. Throws `SlotError`, NoSlots when there are none. */
  openEngine(diskID: string | undefined): Promise<SlotEngine>;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Milliseconds since 1970; somebody may set this clock. */
  now(): number;
  /** Milliseconds by a clock that nobody sets, from any beginning. */
  monotonicMs(): number;
  /** Waits so many ms (perhaps Infinity), or until `signal` aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The configuration of the node; undefined: this agent looks after none. */
  config?: ConfigLife | undefined;
  agentVersion: string;
  /** When this process started, ms since 1970. */
  startedAt: number;
}

/** An error as status shows it; `code` is of the closed set. */
export interface Fault {
  code: UpdateErrorCode;
  message: string;
}
