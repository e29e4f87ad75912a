import { isAbsent, BusError } from './systemd/bus-error.ts';
import { connect } from './systemd/connection.ts';
import type { Connection } from './systemd/connection.ts';
import { RebootError } from './host.ts';

/** How long logind may take to answer; inhibitors that delay a shutdown delay it after the answer. */
const ANSWER_MS = 30_000;

/**
 * Asks systemd-logind on the system bus at `socket` to reboot: `org.freedesktop.login1.Manager.Reboot(false)`, which
 * lets whoever holds a delay lock finish, as the kubelet does to end pods in order, and stops units in order
 * (org.freedesktop.login1(5)). Throws `RebootError`, `Unreachable` where there is no bus or no logind.
 *
 * A block lock is honoured here: up to version 256 logind passes it over when root asks.
 */
export async function rebootByLogind(socket: string): Promise<void> {
  const bus = await connect(socket, { direct: false }).catch((error: unknown) => {
    throw unreachable(error);
  });
  try {
    await refuseIfBlocked(bus);
    await reboot(bus);
  } finally {
    bus.close();
  }
}

async function reboot(bus: Connection): Promise<void> {
  try {
    await ask(bus, 'Reboot', { signature: 'b', body: [false] });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    // No answer after the question may well mean that the machine is on its way down: the boot will tell.
    if (error.code === 'NoAnswer') return;
    if (isAbsent(error)) throw unreachable(error);
    await refuseIfBlocked(bus);
    throw new RebootError('Refused', `logind: ${error.message}`, error);
  }
}

async function refuseIfBlocked(bus: Connection): Promise<void> {
  const blockers = await blockersOf(bus);
  if (blockers.length === 0) return;
  const message = `the node is kept from rebooting by ${blockers.join(', ')} (systemd-inhibit --list)`;
  throw new RebootError('Inhibited', message.slice(0, LONGEST));
}

const LONGEST = 800;

/** Who holds a block lock on shutting down, and why. */
async function blockersOf(bus: Connection): Promise<string[]> {
  try {
    const [locks] = await ask(bus, 'ListInhibitors', {});
    return (locks as Lock[])
      .filter(([what, , , mode]) => mode === 'block' && what.split(':').includes('shutdown'))
      .map(([, who, why, , , pid]) => `${who} (process ${pid}: ${why})`);
  } catch (error) {
    if (isAbsent(error)) throw unreachable(error);
    return [];
  }
}

/** What it keeps from happening, who holds it, why, how, and the holder's user and process. */
type Lock = [what: string, who: string, why: string, mode: string, uid: number, pid: number];

function ask(
  bus: Connection,
  member: string,
  args: { signature?: string; body?: unknown[] },
): Promise<unknown[]> {
  const manager = {
    destination: 'org.freedesktop.login1',
    path: '/org/freedesktop/login1',
    interface: 'org.freedesktop.login1.Manager',
  };
  return bus.call({ ...manager, member, ...args }, ANSWER_MS);
}

function unreachable(error: unknown): RebootError {
  const text = error instanceof Error ? error.message : String(error);
  return new RebootError('Unreachable', `cannot reach logind: ${text}`, error);
}
