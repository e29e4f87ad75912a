import { until } from '#test/cluster/until.ts';
import type { RealMachine } from '#test/machine/real/real-machine.ts';
import type { HealthGate } from '#api/health.ts';

/** Ways to keep a node in one moment of its update for as long as a test wants it there. */

const GATE = '/var/lib/hold-gate';
const INHIBITOR = 'hold-reboot';

/** A check that does not pass while the gate is held. */
export const HOLDABLE: HealthGate['checks'][number] = {
  name: 'not-held',
  command: { argv: ['test', '!', '-e', GATE] },
  timeout: '10s',
};

/** Its next first boot of a version stays in `Verifying`. */
export async function holdGate(machine: RealMachine): Promise<void> {
  await on(machine, 'touch', GATE);
}

export async function releaseGate(machine: RealMachine): Promise<void> {
  await on(machine, 'rm', GATE);
}

/** Once armed it stays in `Rebooting` and does not go down: another program on it holds a lock of logind's. */
export async function holdReboot(machine: RealMachine): Promise<void> {
  const lock = ['--what=shutdown', '--mode=block', `--who=${INHIBITOR}`, '--why=a test'];
  await on(machine, 'systemd-run', `--unit=${INHIBITOR}`, 'systemd-inhibit', ...lock, 'sleep', 'infinity');
  const held = async () => (await on(machine, 'systemd-inhibit', '--list')).includes(INHIBITOR);
  await until(`the reboot of ${machine.name} is held`, held, { timeoutMs: 30_000 });
}

export async function releaseReboot(machine: RealMachine): Promise<void> {
  await on(machine, 'systemctl', 'stop', `${INHIBITOR}.service`);
}

/** Runs a program there that must succeed; what it printed. */
async function on(machine: RealMachine, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.exec(argv);
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${machine.name} ended with ${status}: ${stderr}`);
  return stdout;
}
