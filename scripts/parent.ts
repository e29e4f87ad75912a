/**
 * Ends this program as SIGTERM would when its parent (npm, usually) is gone: a killed npm leaves its script
 * running, and nobody would ever end it.
 */
export function endWithParent(everyMs = 500): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, everyMs).unref();
}
