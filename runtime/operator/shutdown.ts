/** Asks the process to end cleanly. */
export interface Shutdown {
  signal: AbortSignal;
}

/** How long a clean end may take; Kubernetes kills after 30 s. */
export const SHUTDOWN_MS = 20_000;

/** SIGTERM and SIGINT abort the signal; a second one, or a shutdown that takes too long, ends the process at once. */
export function shutdownOnSignals(limitMs = SHUTDOWN_MS): Shutdown {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new Error('the process was asked to end'));
    setTimeout(() => process.exit(1), limitMs).unref();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { signal: controller.signal };
}

/** Waits for the task, but never longer than `ms`; a failure of the task is of no interest any more. */
export async function within(ms: number, task: Promise<unknown> | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.resolve(task).catch(() => undefined), promise]);
  clearTimeout(timer);
}
