import { createHash } from 'node:crypto';
import { canonicalJson } from '#api/config-hash.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigPlan } from '#api/node-config-state.ts';
import { effectsOf, joinEffects, unitOf } from '../actions/effects.ts';
import type { Effects, Touched } from '../actions/effects.ts';
import { stepsOf } from '../actions/steps.ts';
import type { ActionStep } from '../actions/steps.ts';
import type { ArgumentsPlan } from '../kernel-arguments/kernel-arguments.ts';
import type { FilePlan } from '../plan/plan-files.ts';
import { planSysctls } from '../sysctls/plan-sysctls.ts';
import type { SysctlPlan } from '../sysctls/plan-sysctls.ts';
import { wantedSysctls } from '../sysctls/wanted-sysctls.ts';
import { isRunning, planUnits } from '../units/plan-units.ts';
import type { UnitChange } from '../units/plan-units.ts';
import type { UnitFacts } from '../units/units.ts';
import type { ConfigRecord } from './config-record.ts';
import type { Drafted } from './facts.ts';

/** What was found out about a document on this host. */
export interface DraftInput {
  document: ConfigDocument;
  /** What is in force. */
  before: ConfigDocument | undefined;
  files: FilePlan;
  /** How the files' changes read in status. */
  described: ConfigPlan['changes'];
  units: readonly UnitFacts[];
  kernelArguments: ArgumentsPlan | undefined;
  hostname: string;
  /** Settings that the kernel that runs has, by key. */
  sysctls: ReadonlyMap<string, string>;
  record: Pick<ConfigRecord, 'units' | 'sysctls'>;
}

/** All that a document would change here. */
export interface Draft {
  document: ConfigDocument;
  files: FilePlan;
  units: readonly UnitChange[];
  sysctls: SysctlPlan;
  kernelArguments: ArgumentsPlan | undefined;
  steps: ActionStep[];
  plan: ConfigPlan;
  needs: Drafted['needs'];
}

const LISTED = 64;

/** Decides what follows from a document: pure. */
export function draftOf(input: DraftInput): Draft {
  const { document, files, kernelArguments } = input;
  const units = planUnits(document.units, input.units, input.record.units);
  const effects = effectsOfAll(input, units);
  const sysctls = sysctlsOf(input, effects);
  const { hostname: wanted } = document;
  const hostname =
    wanted === undefined || wanted === input.hostname ? undefined : { from: input.hostname, to: wanted };
  const steps = stepsOf({
    effects,
    units,
    gone: goneUnits(files),
    running: new Set(input.units.filter((fact) => isRunning(fact)).map(({ name }) => name)),
    hostname,
    sysctls: effects.reboots ? [] : sysctls.changes,
    kernelArguments: kernelArguments !== undefined,
  });
  const needs = effects.reboots ? 'Reboot' : effects.drains ? 'Drain' : 'None';
  const plan = planOf(input, units, effects);
  return { document, files, units, sysctls, kernelArguments, steps, plan, needs };
}

function sysctlsOf({ document, record, sysctls: running }: DraftInput, effects: Effects): SysctlPlan {
  const applied = effects.restart.includes('systemd-sysctl.service');
  return planSysctls({ wanted: wantedSysctls(document), owned: record.sysctls, running, applied });
}

/** What goes follows the rules that were in force with it; the rest those that come. */
function effectsOfAll(
  { document, before, files, kernelArguments }: DraftInput,
  units: readonly UnitChange[],
): Effects {
  const removed = files.changes.filter(({ owned }) => owned === undefined);
  const kept = files.changes.filter(({ owned }) => owned !== undefined);
  const named = new Set(document.units.map(({ name }) => name));
  const settings: Touched[] = kernelArguments === undefined ? [] : [{ setting: 'kernelArguments' }];
  const come = effectsOf(
    [
      ...kept.map(({ path }) => ({ path })),
      ...units.filter(({ name }) => named.has(name)).map((one) => unit(one)),
      ...settings,
    ],
    document.disruption,
  );
  const go = effectsOf(
    [
      ...removed.map(({ path }) => ({ path })),
      ...units.filter(({ name }) => !named.has(name)).map((one) => unit(one)),
    ],
    before?.disruption ?? document.disruption,
  );
  return joinEffects(come, go);
}

function unit({ name }: UnitChange): Touched {
  return { unit: name };
}

function goneUnits({ changes }: FilePlan): Set<string> {
  const gone = changes.filter(({ after, path }) => after.type === 'absent' && !path.includes('.d/'));
  return new Set(gone.flatMap(({ path }) => unitOf(path) ?? []));
}

function planOf(
  { described, kernelArguments }: DraftInput,
  units: readonly UnitChange[],
  effects: Effects,
): ConfigPlan {
  const changes = [
    ...described,
    ...units.map(({ name }) => ({ kind: 'Unit' as const, name, change: 'Update' as const })),
    ...(kernelArguments?.files ?? []).map(({ path }) => ({
      kind: 'KernelArguments' as const,
      name: path,
      change: 'Update' as const,
    })),
  ];
  const actions = [
    ...(effects.drains ? [{ action: 'Drain' as const }] : []),
    ...(effects.daemonReload ? [{ action: 'DaemonReload' as const }] : []),
    ...effects.reload.map((unit) => ({ action: 'Reload' as const, unit })),
    ...effects.restart.map((unit) => ({ action: 'Restart' as const, unit })),
    ...(effects.reboots ? [{ action: 'Reboot' as const }] : []),
  ];
  const { drains, reboots } = effects;
  // Diffs differ where the disks did; who approves a plan approves what is done, and to what.
  const alike = changes.map(({ kind, name, change }) => ({ kind, name, change }));
  const hash = createHash('sha256')
    .update(canonicalJson({ changes: alike, actions, drains, reboots }))
    .digest('hex');
  const more = Math.max(0, changes.length - LISTED);
  return {
    hash,
    changes: changes.slice(0, LISTED),
    more,
    actions: actions.slice(0, LISTED),
    drains,
    reboots,
  };
}
