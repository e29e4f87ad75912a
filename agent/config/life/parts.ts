import type { ConfigBundle, ConfigDocument } from '#api/config-document.ts';
import type { ConfigPlan } from '#api/node-config-state.ts';
import type { Node } from '#api/meta.ts';
import type { Host } from '#agent/boot/host.ts';
import type { Parts } from '#agent/life/parts.ts';
import type { Confirmation } from '../confirm/confirm.ts';
import type { KernelArguments } from '../kernel-arguments/kernel-arguments.ts';
import type { Drift } from '../drift/ledger.ts';
import type { FilePlan } from '../plan/plan-files.ts';
import type { FileTransactions, Transaction } from '../transaction/contract.ts';
import type { Sysctls } from '../sysctls/host-sysctls.ts';
import type { UnitPolicy } from '../units/unit-rules.ts';
import type { Units } from '../units/units.ts';
import type { ConfigRecordFile } from './config-record.ts';

/** What the machine's own policy says besides paths. */
export interface ConfigPolicy extends UnitPolicy {
  kernelArguments: boolean;
  commands: boolean;
}

/** Finds and puts right what others change in what is in force. */
export interface Guard {
  readonly drift: readonly Drift[];
  start(): Promise<void>;
  /** Returns when nothing is being healed any more. */
  stop(): Promise<void>;
  /** Something else is in force. */
  forget(): void;
}

/** Everything that the configuration of a node acts on. */
export interface ConfigParts {
  files: FileTransactions;
  /** Throws `ConfigError`. */
  bundle(wanted: { hash: string; generation: number }, signal: AbortSignal): Promise<ConfigBundle>;
  describe(plan: FilePlan): Promise<ConfigPlan['changes']>;
  policy(): Promise<ConfigPolicy>;
  /** Has the host judge staged files before anything changes. Throws `ConfigError` UnitInvalid or ValidateFailed. */
  judge(transaction: Transaction, document: ConfigDocument, signal: AbortSignal): Promise<void>;
  units: Units;
  sysctls: Sysctls;
  confirmation: Confirmation;
  kernelArguments: KernelArguments;
  guard: Guard;
  records: ConfigRecordFile;
  hostname(): Promise<string>;
  gateway(): Promise<string | undefined>;
  /** Whether the kubelet answers on its health port. */
  kubelet(signal: AbortSignal): Promise<boolean>;
  /** The agent's own Node over a connection of its own. */
  freshNode(signal: AbortSignal): Promise<Node>;
  /** Why this host cannot be configured; undefined: it can. */
  unsupported(): Promise<string | undefined>;
  host: Pick<Host, 'run' | 'reboot'>;
  /** Those of the agent that the configuration shares. */
  agent: Pick<Parts, 'api' | 'log' | 'now' | 'monotonicMs'>;
}
