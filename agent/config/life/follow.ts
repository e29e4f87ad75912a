import type { CheckResult } from '#agent/health/gate.ts';
import { nameOf, undoOf } from '../actions/steps.ts';
import type { ActionStep } from '../actions/steps.ts';
import { runStep } from '../actions/run-step.ts';
import { probeAll } from '../probes/probes.ts';
import { steadyUnits } from '../probes/steady-units.ts';
import type { Transaction } from '../transaction/contract.ts';
import { changeMeta } from './change-meta.ts';
import type { ChangeMeta } from './change-meta.ts';
import type { ConfigFailure } from './config-record.ts';
import { configFailureOf } from './failure.ts';
import type { ConfigParts } from './parts.ts';

/** How often an action is tried before the change is given up. */
const ATTEMPTS = 2;

export function metaOf({ meta }: Transaction): ChangeMeta {
  return changeMeta.parse(meta);
}

/** The next thing that follows from the change; undefined: all is done. */
export function pendingStep(transaction: Transaction): ActionStep | undefined {
  return metaOf(transaction).steps.find((step) => !transaction.step(nameOf(step)).done);
}

/** Why the change has to be given up: an action failed as often as it may. */
export function failedStep(transaction: Transaction): ConfigFailure | undefined {
  const step = pendingStep(transaction);
  if (step === undefined) return undefined;
  const { attempts, message } = transaction.step(nameOf(step));
  if (attempts < ATTEMPTS || message === undefined) return undefined;
  return { code: 'ActionFailed', message };
}

/** Does the next thing, and writes down how it went. */
export async function act(transaction: Transaction, parts: ConfigParts, signal: AbortSignal): Promise<void> {
  const step = pendingStep(transaction);
  if (step === undefined) return;
  const name = nameOf(step);
  await transaction.note(name, 'Started');
  parts.agent.log.info('config: action', { action: name });
  try {
    await runStep(step, toolsOf(parts), signal);
    await transaction.note(name, 'Done');
  } catch (error) {
    const { message } = configFailureOf(error);
    parts.agent.log.warn('config: action failed', { action: name, error });
    await transaction.note(name, 'Failed', { message });
  }
}

/**
 * Makes what runs as it was, after the files are; each thing is tried once, as there is no way back from the way
 * back. Gives what could not be done.
 */
export async function undoActions(
  transaction: Transaction,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<string[]> {
  const problems: string[] = [];
  for (const step of undoOf(begunSteps(transaction))) {
    const name = nameOf(step);
    if (transaction.step(name, true).done) continue;
    await transaction.note(name, 'Started', { undo: true });
    try {
      await runStep(step, toolsOf(parts), signal, true);
    } catch (error) {
      parts.agent.log.warn('config: an action could not be undone', { action: name, error });
      problems.push(`${name}: ${configFailureOf(error).message}`);
    }
    await transaction.note(name, 'Done', { undo: true });
  }
  return problems;
}

/** What was never begun need not be undone. */
function begunSteps(transaction: Transaction): ActionStep[] {
  return metaOf(transaction).steps.filter((step) => transaction.step(nameOf(step)).attempts > 0);
}

function toolsOf({ units, sysctls, kernelArguments, host }: ConfigParts) {
  return {
    units,
    sysctls,
    kernelArguments,
    run: (argv: readonly string[], signal: AbortSignal, ms: number) => host.run(argv, signal, ms),
  };
}

/** One round of all probes. */
export async function probe(
  transaction: Transaction,
  bootID: string,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const meta = metaOf(transaction);
  const touched = meta.steps.flatMap(({ do: what, unit }) =>
    (what === 'start' || what === 'restart') && unit !== undefined ? [unit] : [],
  );
  // A unit that was restarted by hand counts its restarts anew.
  const restarts = Object.fromEntries(
    Object.entries(meta.baseline.restarts).map(([name, count]) => [name, touched.includes(name) ? 0 : count]),
  );
  const targets = {
    node: (timed: AbortSignal) => parts.freshNode(timed),
    run: (argv: readonly string[], timed: AbortSignal, ms: number) => parts.host.run(argv, timed, ms),
    unit: async (name: string) => (await parts.units.facts([name]))[0]!,
    gateway: () => parts.gateway(),
    restarts: meta.bootID === bootID ? restarts : {},
    bootID,
  };
  const [probes, units] = await Promise.all([
    probeAll(meta.probes, targets, signal),
    steadyUnits(touched, parts.units),
  ]);
  return [...probes, ...units];
}
