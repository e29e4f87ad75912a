import type { Grant, NodeStateStatus } from '#api/node-state.ts';
import type { HealthGate } from '#api/health.ts';
import type { Armed, Failure, Last, AgentRecord, Staged } from './record.ts';

/**
 * How the record moves on; each function gives the record after one thing happened. `now` is RFC 3339.
 * What is not mentioned stays.
 */

export function withStaged(record: AgentRecord, staged: Staged): AgentRecord {
  return { ...without(record, 'rebootFailures'), staged };
}

/** The slot no longer holds a target. */
export function withoutStaged(record: AgentRecord): AgentRecord {
  return without(record, 'staged', 'rebootFailures');
}

/** A reboot is about to be accepted; `staged` must be there. */
export function withArming(
  record: AgentRecord,
  { staged, grant, from, bootID, gate, now }: ArmingInput,
): { record: AgentRecord; armed: Armed } {
  const armed: Armed = {
    version: staged.version,
    attempt: staged.attempt,
    partUUID: staged.partUUID,
    from,
    bootID,
    grant: { id: grant.id, notAfter: grant.notAfter },
    accepted: false,
    gate,
    at: now,
  };
  return { record: { ...record, armed }, armed };
}

interface ArmingInput {
  staged: Staged;
  grant: Grant;
  from: string;
  bootID: string;
  gate: HealthGate;
  now: string;
}

/** The API server has our acceptance: the grant is spent, the slot may be armed. */
export function withAccepted(record: AgentRecord, armed: Armed): AgentRecord {
  const others = record.spent.filter((id) => id !== armed.grant.id);
  return { ...record, armed: { ...armed, accepted: true }, spent: [armed.grant.id, ...others].slice(0, 8) };
}

/** The reboot is off and was not at fault: the grant ran out, or was revoked. What is staged stays. */
export function withoutArmed(record: AgentRecord): AgentRecord {
  return without(record, 'armed');
}

/** The machine was told to reboot and did not. */
export function rebootFailed(record: AgentRecord, error: Failure, now: string): AgentRecord {
  const count = (record.rebootFailures?.count ?? 0) + 1;
  return { ...withoutArmed(record), ...requestedAgain(record, now), rebootFailures: { count, error } };
}

/** The machine was kept from rebooting for as long as the grant stood: told, but no failure of its own. */
export function rebootHeld(record: AgentRecord, error: Failure, now: string): AgentRecord {
  const count = record.rebootFailures?.count ?? 1;
  return { ...withoutArmed(record), ...requestedAgain(record, now), rebootFailures: { count, error } };
}

function requestedAgain(record: AgentRecord, now: string): Pick<AgentRecord, 'staged'> {
  return record.staged === undefined ? {} : { staged: { ...record.staged, requestedAt: now } };
}

/** A slot runs that nobody armed and that is not good yet: it is on trial like any other. */
export function withAdopted(
  record: AgentRecord,
  armed: Omit<Armed, 'grant' | 'accepted' | 'bootID'>,
): AgentRecord {
  return {
    ...record,
    armed: { ...armed, grant: { id: '', notAfter: armed.at }, accepted: true, bootID: '' },
  };
}

/** The armed slot runs in a boot that was not seen before. */
export function withTrial(record: AgentRecord, armed: Armed, bootID: string, now: string): AgentRecord {
  return { ...without(record, 'health'), armed: { ...armed, trial: { bootID, since: now } } };
}

/** The trial is to be given up, and why; written before the slot is. */
export function withVerdict(
  record: AgentRecord,
  armed: Armed,
  verdict: Failure,
  health: NodeStateStatus['health'],
): AgentRecord {
  if (armed.trial === undefined) return record;
  const judged = { ...record, armed: { ...armed, trial: { ...armed.trial, verdict } } };
  return health === undefined ? judged : { ...judged, health };
}

/** The armed slot passed its gate and is marked good. */
export function succeeded(
  record: AgentRecord,
  armed: Armed,
  health: NodeStateStatus['health'],
  now: string,
): AgentRecord {
  const { version, from, attempt, partUUID } = armed;
  const ended = end(record, { phase: 'Succeeded', version, from, attempt, at: now });
  return {
    ...without(ended, 'staged', 'armed', 'rebootFailures'),
    good: { version, partUUID },
    quarantine: record.quarantine.filter((one) => one.version !== version),
    ...(health === undefined ? {} : { health }),
  };
}

/** The armed slot is marked good, though what it holds, `runs`, is not the version that was asked for. */
export function kept(
  record: AgentRecord,
  armed: Armed,
  runs: string,
  error: Failure,
  now: string,
): AgentRecord {
  const { version, from, attempt, partUUID } = armed;
  const ended = end(record, { phase: 'Failed', version, from, attempt, error, at: now });
  return {
    ...without(ended, 'staged', 'armed', 'rebootFailures'),
    good: { version: runs, partUUID },
    quarantine: withQuarantined(record, armed, error, now),
  };
}

/** The trial is over without success, and goes on all the same: no other slot boots. */
export function stranded(
  record: AgentRecord,
  armed: Armed,
  error: Failure,
  health: NodeStateStatus['health'],
  now: string,
): AgentRecord {
  if (armed.trial === undefined) return record;
  return {
    ...record,
    armed: { ...armed, trial: { ...armed.trial, stranded: { error, at: now } } },
    quarantine: withQuarantined(record, armed, error, now),
    ...(health === undefined ? {} : { health }),
  };
}

/** `version` was booted, and something older runs: it is not tried again by itself. */
export function rolledBack(
  record: AgentRecord,
  { version, from, attempt }: Pick<Last, 'version' | 'from' | 'attempt'>,
  error: Failure,
  now: string,
): AgentRecord {
  const ended = end(record, { phase: 'RolledBack', version, from, attempt, error, at: now });
  return {
    ...without(
      ended,
      'staged',
      'armed',
      'rebootFailures',
      ...(record.good?.version === version ? (['good'] as const) : []),
    ),
    quarantine: withQuarantined(record, { version, attempt }, error, now),
  };
}

function withQuarantined(
  { quarantine }: AgentRecord,
  { version, attempt }: Pick<Last, 'version' | 'attempt'>,
  error: Failure,
  now: string,
): AgentRecord['quarantine'] {
  const others = quarantine.filter((one) => one.version !== version);
  return [{ version, reason: error.code, attempt, since: now }, ...others].slice(0, 16);
}

/** `version` could not be staged, or the machine would not reboot into it. */
export function failed(
  record: AgentRecord,
  what: Pick<Last, 'version' | 'from' | 'attempt'>,
  error: Failure,
  now: string,
): AgentRecord {
  return without(end(record, { ...what, phase: 'Failed', error, at: now }), 'staged', 'rebootFailures');
}

function end(record: AgentRecord, last: Last): AgentRecord {
  const { version, from, error, at } = last;
  const entry = {
    version,
    ...(from === undefined ? {} : { from }),
    result: last.phase,
    ...(error === undefined ? {} : { error }),
    finishedAt: at,
  };
  return { ...record, last, history: [entry, ...record.history].slice(0, 20) };
}

function without(record: AgentRecord, ...keys: (keyof AgentRecord)[]): AgentRecord {
  const rest = { ...record };
  for (const key of keys) delete (rest as Partial<AgentRecord>)[key];
  return rest;
}
