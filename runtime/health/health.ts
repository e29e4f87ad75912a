import type { Log } from '../log/log.ts';

/** Returns what is wrong, in words, or undefined when all is well. Cheap: it is asked every few seconds. */
export type Check = () => string | undefined;

/** Named checks of one process. Liveness failing gets the process restarted; readiness only takes it out of service. */
export class Health {
  readonly #live = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();

  live(name: string, check: Check): void {
    this.#live.set(name, check);
  }

  ready(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  /** What is wrong now, one line a failed check; empty when well. */
  failures(kind: 'live' | 'ready'): string[] {
    const checks = kind === 'live' ? this.#live : this.#ready;
    const failed: string[] = [];
    for (const [name, check] of checks) {
      const words = ask(check);
      if (words !== undefined) failed.push(`${name}: ${words}`);
    }
    return failed;
  }
}

function ask(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return `the check failed: ${(error as Error).message}`;
  }
}

/** Fails once an informer's watch was silent for longer than `limitMs`; bookmarks come about once a minute. */
export function freshCheck(informer: { ageMs(): number }, limitMs = 300_000): Check {
  const started = performance.now();
  return () => {
    const age = Math.min(informer.ageMs(), performance.now() - started);
    return age > limitMs ? `not heard of the API server for ${Math.round(age / 1000)} s` : undefined;
  };
}

/** Fails while one reconcile has been under way for longer than `limitMs`. */
export function busyCheck(controller: { busyMs(): number }, limitMs = 600_000): Check {
  return () => {
    const busy = controller.busyMs();
    return busy > limitMs ? `one reconcile has run for ${Math.round(busy / 1000)} s` : undefined;
  };
}

export interface HealthServerOptions {
  /** `host:port` or `:port`; port 0 takes any free one. */
  address: string;
  health: Health;
  /** prom-client's registry; without it there is no /metrics. */
  registry?: { contentType: string; metrics(): Promise<string> } | undefined;
  log: Log;
}
