import { durationMs } from '#api/fields.ts';
import { undoOf } from '../actions/steps.ts';
import { allProbes } from '../probes/always.ts';
import { notReady } from '../probes/probes.ts';
import type { Transaction } from '../transaction/contract.ts';
import { isEnabled, isRunning } from '../units/plan-units.ts';
import type { UnitBefore } from '../units/plan-units.ts';
import { asMeta } from './change-meta.ts';
import type { ChangeMeta } from './change-meta.ts';
import type { ConfigRecord } from './config-record.ts';
import type { Draft } from './draft.ts';
import type { ConfigParts } from './parts.ts';

export interface ApplyInput {
  draft: Draft;
  hash: string;
  rendered: string | undefined;
  generation: number;
  applied: ChangeMeta | undefined;
  record: ConfigRecord;
  bootID: string;
  /** Whether the reboot also brings up another version, which may be given up once more. */
  withUpdate: boolean;
}

/**
 * Changes the files: all that is known before stands in the journal, what is new is judged while nobody reads it,
 * and the host's own timer runs before the first file is put in its place. On an error nothing has changed. Throws
 * `ConfigError`.
 */
export async function apply(
  input: ApplyInput,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<Transaction> {
  const { draft } = input;
  const meta = await metaOf(input, parts, signal);
  const transaction = await parts.files.prepare({
    document: draft.document,
    plan: draft.files,
    meta: asMeta(meta),
  });
  try {
    await parts.judge(transaction, draft.document, signal);
    if (draft.kernelArguments !== undefined) await parts.kernelArguments.prepare(draft.kernelArguments);
    await arm(transaction, meta, input, parts);
  } catch (error) {
    await transaction.revert();
    await transaction.close();
    await parts.confirmation.disarm();
    throw error;
  }
  await transaction.switch();
  return transaction;
}

async function arm(
  transaction: Transaction,
  meta: ChangeMeta,
  { draft, withUpdate }: ApplyInput,
  { confirmation, kernelArguments }: ConfigParts,
): Promise<void> {
  if (transaction.changes.length === 0 && draft.steps.length === 0) return;
  const kernel = draft.kernelArguments === undefined ? [] : await kernelArguments.undoScript();
  await confirmation.arm({
    timeoutMs: meta.confirm.timeoutMs,
    // The boot that is due, or one that nobody wanted; and the way back from a version that fails.
    boots: withUpdate ? 2 : 1,
    files: [...transaction.revertScript(), ...kernel],
    undo: undoOf(draft.steps),
  });
}

async function metaOf(
  { draft, hash, rendered, generation, applied, record, bootID }: ApplyInput,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<ChangeMeta> {
  const { document, plan, needs, steps, sysctls, kernelArguments } = draft;
  const baseline = await baselineOf(draft, bootID, parts, signal);
  const { timeout, settle } = document.confirm;
  return {
    hash,
    generation,
    plan,
    needs,
    bootID,
    steps,
    baseline,
    ...(rendered === undefined ? {} : { rendered }),
    ...(applied === undefined ? {} : { previous: previousOf(applied) }),
    probes: allProbes(document.probes, baseline),
    confirm: { timeoutMs: durationMs(timeout), settleMs: durationMs(settle) },
    units: await unitsAfter(draft, record, parts),
    sysctls: sysctls.owned,
    kernelArguments: kernelArguments?.owned ?? record.kernelArguments,
  };
}

function previousOf({ hash, rendered }: ChangeMeta): NonNullable<ChangeMeta['previous']> {
  return { hash, ...(rendered === undefined ? {} : { rendered }) };
}

/** What holds before the change; what does not answer now need not answer then. */
async function baselineOf(
  { document }: Draft,
  bootID: string,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<ChangeMeta['baseline']> {
  const probed = document.probes.flatMap(({ unit }) => unit?.name ?? []);
  const [ready, kubelet, gateway, facts] = await Promise.all([
    parts.freshNode(signal).then(
      (node) => notReady(node, bootID) === undefined,
      () => false,
    ),
    parts.kubelet(signal),
    parts.gateway(),
    parts.units.facts(probed),
  ]);
  const restarts = Object.fromEntries(facts.map((unit) => [unit.name, unit.restarts]));
  return { ready, kubelet, restarts, ...(gateway === undefined ? {} : { gateway }) };
}

/** How units were before careen first changed them; of those that are wanted no more nothing is kept. */
async function unitsAfter(
  { units, document }: Draft,
  record: ConfigRecord,
  parts: ConfigParts,
): Promise<ConfigRecord['units']> {
  const facts = new Map(
    (await parts.units.facts(units.map(({ name }) => name))).map((fact) => [fact.name, fact]),
  );
  const after: Record<string, UnitBefore> = {};
  for (const { name } of document.units) {
    const change = units.find((unit) => unit.name === name);
    const before = record.units[name];
    const fact = facts.get(name);
    const enabled = before?.enabled ?? (change?.enable === undefined ? undefined : isEnabled(fact));
    const ran = before?.ran ?? (change?.run === undefined ? undefined : isRunning(fact));
    if (enabled !== undefined || ran !== undefined) after[name] = { enabled, ran };
  }
  return after;
}
