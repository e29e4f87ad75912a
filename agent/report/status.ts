import type { NodeStateStatus, SlotStatus, UpdateStatus } from '#api/node-state.ts';
import type { ConfigStatus } from '#api/node-config-state.ts';
import { mergeReboot } from '../config/life/report.ts';
import type { ConfigReport } from '../config/life/report.ts';
import { recognise } from '../boot/recognise.ts';
import type { Facts } from '../life/facts.ts';

export interface StatusInput extends Facts {
  agentVersion: string;
  /** Bytes of the image that is being written. */
  progress?: UpdateStatus['progress'];
  /** When this agent started, ms since 1970: since when it knows of nothing to do. */
  startedAt: number;
  /** What was told last, or the API server has: instants are kept while what they speak of stays. */
  reported?: NodeStateStatus | undefined;
}

/** The whole status as the facts have it, but for `lastReport`. Pure, so that nothing unreported needs to be remembered. */
export function statusOf(input: StatusInput): NodeStateStatus {
  const { host, engine, record, agentVersion } = input;
  const reboot = mergeReboot(rebootOf(input), input.config);
  return {
    bootID: host.bootID,
    ...(host.machineID === undefined ? {} : { machineID: host.machineID }),
    os: host.os,
    agentVersion,
    engine: engine === undefined ? 'none' : 'gpt',
    ...(engine === undefined ? {} : { slots: engine.slots.map((slot) => withContents(slot, input)) }),
    update: updateOf(input),
    ...(reboot === undefined ? {} : { reboot }),
    ...(input.config === undefined ? {} : { config: configOf(input.config.config, input) }),
    ...(record.health === undefined ? {} : { health: record.health }),
    ...(record.quarantine.length === 0 ? {} : { quarantine: record.quarantine }),
    ...(record.history.length === 0 ? {} : { history: record.history }),
  };
}

/** What the agent knows to be in a slot: what runs there, or what it wrote and read back. */
function withContents(slot: SlotStatus, { host, record: { staged, armed, last } }: StatusInput): SlotStatus {
  if (slot.booted) return { ...slot, version: host.os.version };
  if (staged?.partUUID === slot.partUUID && staged !== undefined)
    return { ...slot, version: staged.version, digest: staged.digest };
  if (armed?.from !== undefined && armed.partUUID !== slot.partUUID) return { ...slot, version: armed.from };
  if (last?.phase === 'Succeeded' && last.from !== undefined && slot.successful)
    return { ...slot, version: last.from };
  return slot;
}

type Phased = Omit<UpdateStatus, 'since'> & { since?: string | undefined };

function updateOf(input: StatusInput): UpdateStatus {
  const { since, ...found } = phaseOf(input);
  const before = input.reported?.update;
  const same = before?.phase === found.phase && before.version === found.version;
  const began = since ?? (same ? before.since : new Date(input.startedAt).toISOString());
  return { ...withoutUndefined(found), since: began };
}

function phaseOf(input: StatusInput): Phased {
  const { record, work } = input;
  const { armed, staged } = record;
  if (armed?.accepted === true) return armedPhase(input, armed);
  if (work.busy?.task === 'stage') {
    const { target, since } = work.busy;
    const { version, attempt } = target;
    const from = input.host.os.version;
    return {
      phase: 'Staging',
      version,
      from,
      attempt,
      progress: input.progress,
      since: new Date(since).toISOString(),
    };
  }
  if (staged !== undefined) return stagedPhase(input, staged);
  return lastPhase(record.last);
}

function armedPhase(input: StatusInput, armed: NonNullable<StatusInput['record']['armed']>): Phased {
  const { version, from, attempt, at, trial } = armed;
  const error = input.work.held?.error;
  const boot = recognise({
    bootID: input.host.bootID,
    slots: input.engine?.slots ?? [],
    record: input.record,
  });
  if (boot.kind === 'RebootPending') return { phase: 'Rebooting', version, from, attempt, error, since: at };
  if (trial?.stranded !== undefined && trial.verdict === undefined) {
    const { error: why, at: since } = trial.stranded;
    return { phase: 'Failed', version, from, attempt, error: why, since };
  }
  return { phase: 'Verifying', version, from, attempt, error: trial?.verdict, since: trial?.since };
}

function stagedPhase(
  { record, host }: StatusInput,
  staged: NonNullable<StatusInput['record']['staged']>,
): Phased {
  const { version, attempt, requestedAt } = staged;
  const error = record.rebootFailures?.error;
  return { phase: 'Staged', version, from: host.os.version, attempt, error, since: requestedAt };
}

function lastPhase(last: StatusInput['record']['last']): Phased {
  if (last === undefined) return { phase: 'Idle' };
  const { phase, version, from, attempt, error, at } = last;
  return { phase, version, from, attempt, error, since: at };
}

/** A reboot is asked for from the moment that a slot is ready until the machine came up again. */
function rebootOf({ record, host }: StatusInput): NodeStateStatus['reboot'] {
  const { staged, armed } = record;
  if (staged === undefined) return undefined;
  if (armed !== undefined && armed.bootID !== host.bootID) return undefined;
  return { requested: true, reasons: [`update to ${staged.version}`], since: staged.requestedAt };
}

function configOf(told: ConfigReport['config'], { reported, now, startedAt }: StatusInput): ConfigStatus {
  const before = reported?.config;
  const same = before?.phase === told.phase && before.hash === told.hash;
  const began = before === undefined ? startedAt : now;
  return { ...told, since: same ? before.since : new Date(began).toISOString() };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}
