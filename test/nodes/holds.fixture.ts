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
  await until(`the reboot of ${machine.name} is held`, held, { timeoutMs: 120_000 });
}

/** Also where a reboot took the lock away already. The one that waits for it may begin before the lock's unit has ended. */
export async function releaseReboot(machine: RealMachine): Promise<void> {
  await on(machine, 'sh', '-c', `systemctl stop --no-block ${INHIBITOR}.service || [ $? = 5 ]`);
}

/** Its agent does nothing any more until the kubelet finds it stuck, a minute later. */
export function freezeAgent(machine: RealMachine): void {
  if (machine.kill('agent', 'SIGSTOP') === 0) throw new Error(`no agent runs on ${machine.name}`);
}

const FILLER = 'fill-var';

/** Not a block is free on the node's disk, nor will one be: what the kubelet frees is filled again. */
export async function fillVar(machine: RealMachine): Promise<void> {
  const most = `fallocate -l $(($(stat -f -c '%f * %S' /var) - 16777216)) /var/${FILLER}`;
  const rest = `while :; do cat /dev/zero >>/var/${FILLER}.rest 2>/dev/null; sleep 0.05; done`;
  await on(machine, 'systemd-run', `--unit=${FILLER}`, 'sh', '-c', `${most}; ${rest}`);
  // It grows: one that is written anew lets its own block go first, and fits into the fullest disk.
  const probe = `! head -c 4096 /dev/zero 2>/dev/null >>/var/${FILLER}.probe`;
  const full = async () => (await machine.exec(['sh', '-c', probe])).status === 0;
  await until(`/var of ${machine.name} is full`, full, { timeoutMs: 120_000 });
}

/** The kubelet may have removed images for the room: they cannot be pulled again, so they are brought again. */
export async function emptyVar(machine: RealMachine): Promise<void> {
  await on(machine, 'systemctl', 'stop', `${FILLER}.service`);
  await on(machine, 'sh', '-c', `rm -f /var/${FILLER}*`);
  await on(machine, 'sh', '-c', 'rm -f /var/lib/containerd/imported-*; sh /opt/node/import-images');
}

/** Runs a program there that must succeed; what it printed. */
async function on(machine: RealMachine, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.exec(argv);
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${machine.name} ended with ${status}: ${stderr}`);
  return stdout;
}

const DEADMAN = '/etc/systemd/system/careen-deadman.timer.d';

/** Has the deadman fire soon after a boot, where it has a reason to; by itself it waits for the gate and a minute more. */
export async function shortenDeadman(machine: RealMachine): Promise<void> {
  const text = '[Timer]\\nOnBootSec=\\nOnBootSec=10s\\n';
  await on(machine, 'sh', '-c', `mkdir -p ${DEADMAN} && printf '${text}' >${DEADMAN}/soon.conf`);
}

export async function unshortenDeadman(machine: RealMachine): Promise<void> {
  await on(machine, 'rm', '-r', DEADMAN);
}
