import type { CommandResult } from '#agent/boot/host.ts';
import { ConfigError } from '../config-error.ts';
import type { KernelArguments } from '../kernel-arguments/kernel-arguments.ts';
import type { Sysctls } from '../sysctls/host-sysctls.ts';
import type { Units } from '../units/units.ts';
import type { ActionStep } from './steps.ts';

/** What steps act on. */
export interface StepTools {
  units: Units;
  kernelArguments: Pick<KernelArguments, 'write' | 'undo'>;
  sysctls: Pick<Sysctls, 'write'>;
  run: (argv: readonly string[], signal: AbortSignal, limitMs: number) => Promise<CommandResult>;
}

/** systemd gives a unit 90 s to stop, by default, and as long to start. */
const LIMIT_MS = 180_000;
const RUN_MS = 10_000;
/** Settings are applied also where nothing had to be applied at boot. */
const ALWAYS_RUN = ['systemd-sysctl.service', 'systemd-modules-load.service'];

/** Does one step, or undoes it; rejects with `ConfigError` ActionFailed. */
export async function runStep(
  step: ActionStep,
  tools: StepTools,
  signal: AbortSignal,
  undo = false,
): Promise<void> {
  const { units, kernelArguments } = tools;
  const { unit = '' } = step;
  switch (step.do) {
    case 'daemonReload':
      return units.reload();
    case 'enable':
      await units.enable(unit);
      return units.reload();
    case 'disable':
      await units.disable(unit);
      return units.reload();
    case 'restart':
      return units.job(mustRun(step, undo) ? 'rerun' : 'restart', unit, LIMIT_MS);
    case 'start':
    case 'stop':
    case 'reload':
      return units.job(step.do, unit, LIMIT_MS);
    case 'kernelArguments':
      return undo ? kernelArguments.undo() : kernelArguments.write();
    case 'sysctl':
      return setSysctl(step, tools, undo);
    case 'hostname':
      return setHostname(step.to ?? '', tools, signal);
  }
}

/** What ran and has failed since is not there to be restarted. */
function mustRun({ unit = '', ran }: ActionStep, undo: boolean): boolean {
  return ALWAYS_RUN.includes(unit) || (undo && ran === true);
}

/**
 * What is wanted no more, or undone, is as it was. Some settings can be made only one way: that they stay until the
 * next boot is no reason to keep what is wanted no more.
 */
async function setSysctl({ key = '', to }: ActionStep, { sysctls }: StepTools, undo: boolean): Promise<void> {
  if (to === undefined) return;
  try {
    await sysctls.write(key, to);
  } catch (error) {
    if (undo || !(error instanceof ConfigError)) throw error;
  }
}

/** The file is in its place already; this is the name in use. */
async function setHostname(name: string, { run }: StepTools, signal: AbortSignal): Promise<void> {
  const { status, output } = await run(['hostname', name], signal, RUN_MS);
  if (status === 0) return;
  throw new ConfigError('ActionFailed', `the host name could not be set: ${output.trim().slice(0, 300)}`);
}
