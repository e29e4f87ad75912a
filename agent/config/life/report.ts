import type { ConfigStatus } from '#api/node-config-state.ts';
import type { NodeStateStatus } from '#api/node-state.ts';
import type { ConfigFacts } from './facts.ts';
import { appliedHash, wantedHash } from './facts.ts';
import type { ChangeMeta } from './change-meta.ts';
import type { Drift } from '../drift/ledger.ts';
import { hasAccepted } from './grant.ts';
import type { Draft } from './draft.ts';

type Reboot = NonNullable<NodeStateStatus['reboot']>;

/** What the configuration has to say of itself; merged with what the update says. */
export interface ConfigReport {
  config: Omit<ConfigStatus, 'since'>;
  /** What it asks of reboot-lock. */
  asks?: { kind: 'Drain' | 'Reboot'; reason: string; since: string } | undefined;
  /** The grant that it acts on: the request that was answered stands as it was told. */
  acting?: Reboot | undefined;
  /** The grant that it acted on last, and since when it had asked for it. */
  accepted?: { id: string; since: string } | undefined;
}

const LISTED = 64;
const DRIFTS = 32;

/** What status says of the configuration: pure. */
export function reportOf(
  facts: ConfigFacts,
  draft: Draft | undefined,
  drift: readonly Drift[] = [],
): ConfigReport {
  const { record, changing, bootID } = facts;
  const acted = record.accepted;
  const thisBoot = acted?.bootID === bootID;
  const acting = record.request !== undefined && thisBoot && answered(facts);
  return {
    config: withDrift(configOf(facts, draft), drift),
    ...(acted === undefined ? {} : { accepted: { id: acted.id, since: acted.request.since } }),
    ...(acting && acted !== undefined
      ? { acting: { requested: true, ...acted.request, accepted: acted.id } }
      : {}),
    ...(record.request === undefined || rebooted(changing?.meta, bootID)
      ? {}
      : { asks: { ...record.request, reason: reasonOf(facts) } }),
  };
}

/** The grant is in use: its change is under way, or about to be. */
function answered({ record, grant, changing, bootID }: ConfigFacts): boolean {
  return changing !== undefined || hasAccepted(record, bootID, grant);
}

function rebooted(meta: ChangeMeta | undefined, bootID: string): boolean {
  return meta !== undefined && meta.bootID !== bootID;
}

function reasonOf({ wanted }: ConfigFacts): string {
  const { rendered, hash } = wanted ?? {};
  if (hash === undefined) return 'removal of the configuration';
  return `configuration ${rendered ?? hash.slice(0, 12)}`.slice(0, 256);
}

/** Who fights for a file is told where nothing else went wrong. */
function withDrift(told: Told, drift: readonly Drift[]): Told {
  if (drift.length === 0) return told;
  const error = drift.find((one) => one.error !== undefined)?.error;
  const { code, message = '' } = error ?? {};
  const fault =
    code === undefined || told.error !== undefined
      ? {}
      : { error: { code, message: message.slice(0, 1024) } };
  const listed = drift
    .slice(0, DRIFTS)
    .map(({ path, kind, healed, since }) => ({ path, kind, healed, since }));
  return { ...told, drift: listed, ...fault };
}

type Told = Omit<ConfigStatus, 'since'>;

function configOf(facts: ConfigFacts, draft: Draft | undefined): Told {
  const { applied, unsupported } = facts;
  const { plan, ...now } = phaseOf(facts, draft);
  const { hash, rendered, previous } = applied ?? {};
  const shown = plan ?? applied?.plan;
  return {
    ...now,
    ...(hash === undefined || hash === '' ? {} : { applied: hash }),
    ...(hash === undefined || hash === '' || rendered === undefined ? {} : { appliedRendered: rendered }),
    ...(previous === undefined || previous.hash === '' ? {} : { lastGood: previous.hash }),
    ...(previous?.rendered === undefined ? {} : { lastGoodRendered: previous.rendered }),
    ...(shown === undefined ? {} : { plan: { ...shown, changes: shown.changes.slice(0, LISTED) } }),
    ...(unsupported === undefined ? {} : { unsupported }),
  };
}

function phaseOf(facts: ConfigFacts, draft: Draft | undefined): Told {
  const { changing, record, draft: drafted, wanted, trouble } = facts;
  if (changing !== undefined) return changingPhase(facts, changing.meta);
  const hash = wantedHash(facts);
  if (wanted === undefined || hash === appliedHash(facts)) return inForce(facts);
  const generation = wanted.generation ?? record.highest;
  const about = { ...version(hash, generation) };
  if (facts.unsupported !== undefined)
    return { phase: 'Failed', ...about, error: { code: 'Unsupported', message: facts.unsupported } };
  const { last } = record;
  if (last?.hash === hash && last.generation >= generation) {
    const transaction = last.transaction === undefined ? {} : { transaction: last.transaction };
    return { phase: last.phase, ...about, ...transaction, error: last.error };
  }
  if (drafted?.hash === hash && drafted.generation === generation) {
    const waits = record.request !== undefined && wanted.apply !== false;
    return {
      phase: waits ? 'Waiting' : 'Planned',
      ...about,
      ...(draft === undefined ? {} : { plan: draft.plan }),
    };
  }
  const before = inForce(facts);
  return trouble?.hash === hash ? { ...before, error: trouble.error } : before;
}

function changingPhase({ changing, bootID, record: { last } }: ConfigFacts, meta: ChangeMeta): Told {
  const waits = meta.needs === 'Reboot' && meta.bootID === bootID;
  const confirming = changing?.stage === 'Switched' && changing.acted && !waits;
  const { hash, generation, plan } = meta;
  if (last?.phase === 'Degraded' && last.transaction === changing?.id) {
    const { error, transaction = '' } = last;
    return { phase: 'Degraded', ...version(hash, generation), plan, transaction, error };
  }
  return { phase: confirming ? 'Confirming' : 'Applying', ...version(hash, generation), plan };
}

function inForce({ applied }: ConfigFacts): Told {
  if (applied === undefined || applied.hash === '') return { phase: 'Idle' };
  return { phase: 'Applied', ...version(applied.hash, applied.generation), plan: applied.plan };
}

function version(hash: string, generation: number): Pick<ConfigStatus, 'hash' | 'generation'> {
  return { ...(hash === '' ? {} : { hash }), ...(generation < 1 ? {} : { generation }) };
}

/** The whole of status.reboot, of what the update asks for and what the configuration does. */
export function mergeReboot(
  update: Reboot | undefined,
  report: ConfigReport | undefined,
): Reboot | undefined {
  if (report?.acting !== undefined) return report.acting;
  const { asks, accepted } = report ?? {};
  const told = accepted === undefined ? {} : { accepted: accepted.id };
  if (asks === undefined) {
    if (update !== undefined) return { ...update, ...told };
    if (accepted === undefined) return undefined;
    return { requested: false, reasons: [], since: accepted.since, ...told };
  }
  if (update === undefined)
    return { requested: true, kind: asks.kind, reasons: [asks.reason], since: asks.since, ...told };
  // Another request than either was alone: a grant for one of them is not one for both.
  const since = asks.since > update.since ? asks.since : update.since;
  return { requested: true, kind: 'Reboot', reasons: [...update.reasons, asks.reason], since, ...told };
}
