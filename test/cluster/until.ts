import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `condition` holds, asking every `everyMs` (20) for at most `timeoutMs` (180000) milliseconds:
 * what takes a second here takes a minute on a machine that does thirty things at once. A condition that throws does
 * not hold yet. The error names `what` was waited for and the last failure.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 180_000);
  let failure: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) throw new Error(`waited in vain until ${what}`, { cause: failure });
    await sleep(options.everyMs ?? 20);
  }
}
