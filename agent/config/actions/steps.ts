import { z } from 'zod';
import { unitName } from '#api/config-fields.ts';
import { isCriticalUnit } from '../units/unit-rules.ts';
import type { SysctlChange } from '../sysctls/plan-sysctls.ts';
import type { UnitChange } from '../units/plan-units.ts';
import type { Effects } from './effects.ts';

const DEEDS = [
  'daemonReload',
  'enable',
  'disable',
  'stop',
  'reload',
  'restart',
  'start',
  'hostname',
  'sysctl',
  'kernelArguments',
] as const;

/** One thing to do after the files are in their place; it may be repeated. */
export const actionStep = z.strictObject({
  do: z.enum(DEEDS),
  unit: unitName.optional(),
  /** Of `restart`: it ran before the change, and is to run again after it is undone, whatever became of it. */
  ran: z.boolean().optional(),
  /** Of `sysctl`: which, with slashes. */
  key: z.string().optional(),
  /** Of `hostname` and `sysctl`: what it becomes, and was. A setting without `to` is made from a file. */
  to: z.string().optional(),
  from: z.string().optional(),
});
export type ActionStep = z.infer<typeof actionStep>;

export interface StepsInput {
  effects: Effects;
  units: readonly UnitChange[];
  /** Units whose own file goes: there is nothing left to restart. */
  gone: ReadonlySet<string>;
  /** Units that run. */
  running: ReadonlySet<string>;
  hostname?: { from: string; to: string } | undefined;
  sysctls?: readonly SysctlChange[] | undefined;
  kernelArguments: boolean;
}

/** Settings first, as what is restarted reads them; what the node hangs on last. */
const EARLY = ['systemd-sysctl.service', 'systemd-modules-load.service'];

/**
 * All that follows a change, in order: systemd reads its units; what is not wanted stops; settings; reloads;
 * restarts; starts. Of a node that reboots, only what must stand before the boot.
 */
export function stepsOf({
  effects,
  units,
  gone,
  running: run,
  hostname,
  sysctls = [],
  kernelArguments,
}: StepsInput): ActionStep[] {
  const started = new Set(units.filter(({ run }) => run === true).map(({ name }) => name));
  const restart = effects.restart.filter((unit) => !gone.has(unit) && !started.has(unit));
  const reload = effects.reload.filter((unit) => !gone.has(unit));
  const running = (run: boolean) =>
    effects.reboots ? [] : units.filter((unit) => unit.run === run).map(({ name }) => name);
  return [
    ...(effects.daemonReload ? [{ do: 'daemonReload' as const }] : []),
    ...enabling(units, false),
    ...enabling(units, true),
    ...(kernelArguments ? [{ do: 'kernelArguments' as const }] : []),
    ...(hostname === undefined ? [] : [{ do: 'hostname' as const, ...hostname }]),
    ...sysctls.map((change) => ({ do: 'sysctl' as const, ...change })),
    ...each('stop', running(false)),
    ...each('reload', reload),
    ...inOrder(restart).map((name) => ({ do: 'restart' as const, unit: name, ran: run.has(name) })),
    ...each('start', running(true)),
  ];
}

function each(what: ActionStep['do'], units: readonly string[]): ActionStep[] {
  return units.map((unit) => ({ do: what, unit }));
}

function enabling(units: readonly UnitChange[], enable: boolean): ActionStep[] {
  const names = units.filter((unit) => unit.enable === enable).map(({ name }) => name);
  return each(enable ? 'enable' : 'disable', names);
}

function rank(unit: string): number {
  if (EARLY.includes(unit)) return 0;
  return isCriticalUnit(unit) ? 2 : 1;
}

function inOrder(units: readonly string[]): string[] {
  return units.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const BACK: Record<ActionStep['do'], ActionStep['do']> = {
  daemonReload: 'daemonReload',
  enable: 'disable',
  disable: 'enable',
  stop: 'start',
  start: 'stop',
  reload: 'reload',
  restart: 'restart',
  hostname: 'hostname',
  sysctl: 'sysctl',
  kernelArguments: 'kernelArguments',
};

/**
 * The way back: what was started stops first, before its file is forgotten; settings come last, as the files that
 * make some of them do not know what held before; all else as on the way there.
 */
export function undoOf(steps: readonly ActionStep[]): ActionStep[] {
  const back = steps.map(({ from, to, ...step }) => ({
    ...step,
    do: BACK[step.do],
    ...(from === undefined ? {} : { to: from }),
    ...(to === undefined ? {} : { from: to }),
  }));
  const first = (step: ActionStep) => step.do === 'stop' || step.do === 'disable';
  const last = (step: ActionStep) => step.do === 'sysctl';
  const rest = back.filter((step) => !first(step) && !last(step));
  return [...back.filter(first).toReversed(), ...rest, ...back.filter(last)];
}

/** By which a step is known in the journal. */
export function nameOf({ do: what, unit, key }: ActionStep): string {
  const about = unit ?? key;
  return about === undefined ? what : `${what}:${about}`;
}
