import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const heartbeatMs = 5_000;
const staleMs = 60_000;

/** How long to wait between two looks, and what to tell the user while waiting. */
export interface LockOptions {
  pollMs?: number | undefined;
  /** Called about every ten seconds while another process holds the lock. */
  waiting?: ((owner: string) => void) | undefined;
}

/**
 * Runs `work` while holding the lock directory `lock`. A lock whose owner has ended is broken: at once if it was
 * a process of this machine, after a minute without a sign of life if it was another's (a shared cache).
 * Two breakers may, in a window of microseconds, both get in: the work has to bear that (ours writes to a
 * temporary file and renames, so that it is merely done twice).
 */
export async function withLock<T>(
  lock: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await acquire(lock, options);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => {});
  }, heartbeatMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

async function acquire(lock: string, options: LockOptions): Promise<void> {
  let told = 0;
  while (!(await take(lock))) {
    if (await isStale(lock)) {
      await breakLock(lock);
      continue;
    }
    if (Date.now() - told >= 10_000) {
      options.waiting?.(await owner(lock));
      told = Date.now();
    }
    await sleep(options.pollMs ?? 500);
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(path.join(lock, 'owner'), `${process.pid} ${hostname()}`);
  return true;
}

async function isStale(lock: string): Promise<boolean> {
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0, // released meanwhile
  );
  if (age > staleMs) return true;
  const [pid, host] = (await owner(lock)).split(' ');
  return host === hostname() && !isAlive(Number(pid));
}

/** `<pid> <host>`, or nothing while the owner has only just made the directory. */
function owner(lock: string): Promise<string> {
  return readFile(path.join(lock, 'owner'), 'utf8').catch(() => '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Renames first, which only one of several breakers can do. */
async function breakLock(lock: string): Promise<void> {
  const grave = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, grave);
  } catch {
    return;
  }
  await rm(grave, { recursive: true, force: true });
}
