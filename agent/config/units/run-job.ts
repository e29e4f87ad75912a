import type { Signal } from '#agent/boot/systemd/connection.ts';
import type { JobMember, Manager } from '#agent/boot/systemd/manager.ts';
import { BusError } from '#agent/boot/systemd/bus-error.ts';
import { ConfigError } from '../config-error.ts';

/**
 * Has systemd do something with a unit and waits until it is done. A job that is not done after `limitMs` is called
 * off, and the process that hangs for it is killed: it is systemd's child, in the unit's own cgroup, without a
 * terminal. Throws `BusError`, or `ConfigError` ActionFailed.
 */
export async function runJob(
  manager: Manager,
  member: JobMember,
  unit: string,
  limitMs: number,
): Promise<void> {
  const ended = new Map<string, string>();
  let news = Promise.withResolvers<void>();
  manager.connection.onSignal(({ member: what, body }: Signal) => {
    if (what !== 'JobRemoved') return;
    ended.set(String(body[1]), String(body[3]));
    news.resolve();
    news = Promise.withResolvers<void>();
  });
  await manager.followJobs();
  // A unit that was started too often would be refused; one that systemd does not know has not failed.
  if (member !== 'StopUnit') await manager.resetFailed(unit).catch(() => undefined);
  const path = await manager.beginJob(member, unit);
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), limitMs);
  try {
    const gone = manager.connection.closed.then(hungUp);
    gone.catch(() => undefined);
    while (!ended.has(path)) {
      const found = await Promise.race([news.promise, late.promise, gone]);
      if (found === 'late') return await giveUp(manager, path, unit, limitMs);
    }
  } finally {
    clearTimeout(timer);
  }
  judge(String(ended.get(path)), unit);
}

async function giveUp(manager: Manager, path: string, unit: string, limitMs: number): Promise<never> {
  // What has just ended by itself cannot be called off, nor needs to be.
  await manager.endJob(path, unit).catch(() => undefined);
  const message = `${unit} was not done within ${limitMs / 1000} s; see "systemctl status ${unit}" on the node`;
  throw new ConfigError('ActionFailed', message);
}

/** `skipped`: it does not run, so there was nothing to restart (systemd.unit(5), org.freedesktop.systemd1(5)). */
function judge(result: string, unit: string): void {
  if (result === 'done' || result === 'skipped') return;
  const message = `${unit}: systemd says ${result}; see "journalctl -u ${unit}" on the node`;
  throw new ConfigError('ActionFailed', message);
}

function hungUp(): never {
  throw new BusError('NoAnswer', 'systemd hung up while a job ran; see "systemctl list-jobs" on the node');
}
