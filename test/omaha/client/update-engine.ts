import { exitCodes } from '../wire/exit-code.ts';
import type { Update } from '../wire/read-response.ts';
import type { OmahaEvent } from '../wire/request.ts';
import type { Clock } from './clock.ts';
import type { Download } from './download.ts';
import type { Link } from './link.ts';
import { backsOff, fetched, noPayload, offered, spoilt, type PayloadState } from './payload-state.ts';
import type { Random } from './random.ts';
import { FIRST_CHECK, fuzzed, nextCheck, type Last } from './schedule.ts';

/** What is on the machine's disk: it outlives update_engine and reboots. */
export interface Prefs {
  /** Version before the last update; nothing before the first check ever, empty once it was reported. */
  previousVersion: string | undefined;
  payload: PayloadState;
}

/** The disk of a machine that never asked. */
export function freshPrefs(): Prefs {
  return { previousVersion: undefined, payload: noPayload };
}

/** Where the machine stands with its update. */
export type Phase = 'idle' | 'checking' | 'downloading' | 'finalizing' | 'needs-reboot' | 'reporting-error';

/** Something that happened, in the machine's own words. */
export type Happening =
  | { kind: 'checking' }
  | { kind: 'no-update' }
  | { kind: 'offered' | 'downloading' | 'downloaded' | 'installed'; version: string }
  | { kind: 'failed' | 'deferred'; version?: string | undefined; exitCode: number };

export interface UpdateEngineOptions {
  /** Of the running system. */
  version: string;
  prefs: Prefs;
  link: Link;
  clock: Clock;
  random: Random;
  download: Download;
  /** Writes and checks the other slot; a code, 0 for well. */
  install: (version: string) => number;
  tell: (happening: Happening) => void;
}

/** One life of update_engine, from its start to the reboot: checks, installs, waits for the reboot with pings. */
export class UpdateEngine {
  phase: Phase = 'idle';
  /** What is in the other slot once a reboot is needed. */
  installed: string | undefined;
  readonly #options: UpdateEngineOptions;
  #last: Last = { intervalMs: FIRST_CHECK.intervalMs, pollInterval: 0, httpStatus: 0 };
  #offer: Update | undefined;

  constructor(options: UpdateEngineOptions) {
    this.#options = options;
  }

  /** Runs until `signal` aborts, then ends with an AbortError. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, random } = this.#options;
    let wait = FIRST_CHECK;
    for (;;) {
      await clock.sleep(fuzzed(wait, random()), signal);
      if (this.phase === 'needs-reboot') await this.#options.link.ping(signal);
      else await this.check(false, signal);
      wait = nextCheck(this.#last);
      this.#last.intervalMs = wait.intervalMs;
    }
  }

  /** One attempt, as by the schedule or (`interactive`) by `update_engine_client -check_for_update`. */
  async check(interactive: boolean, signal: AbortSignal): Promise<void> {
    if (this.phase !== 'idle') return;
    const code = await this.#attempt(interactive, signal);
    if (code !== undefined) await this.#reportError(code, signal);
    if (this.installed === undefined) this.phase = 'idle';
  }

  /** Gives a code if the attempt failed; no update is no failure. */
  async #attempt(interactive: boolean, signal: AbortSignal): Promise<number | undefined> {
    const { link, tell } = this.#options;
    this.phase = 'checking';
    tell({ kind: 'checking' });
    const { exitCode, httpStatus, pollInterval, update } = await link.check(
      this.#bootEvent(),
      interactive,
      signal,
    );
    this.#last = { ...this.#last, httpStatus, pollInterval };
    if (exitCode !== 0) return exitCode;
    if (update === undefined) tell({ kind: 'no-update' });
    return update === undefined ? undefined : this.#consider(update, signal);
  }

  async #consider(update: Update, signal: AbortSignal): Promise<number | undefined> {
    const { prefs, clock, tell } = this.#options;
    this.#offer = update;
    prefs.payload = offered(prefs.payload, update);
    tell({ kind: 'offered', version: update.version });
    if (backsOff(prefs.payload, update, clock.now())) return exitCodes.OmahaUpdateDeferredForBackoff;
    return this.#update(update, signal);
  }

  async #update(update: Update, signal: AbortSignal): Promise<number | undefined> {
    const { link, prefs, clock, random, download, install, tell, version } = this.#options;
    this.phase = 'downloading';
    await link.event({ type: 13, result: 1 }, signal);
    tell({ kind: 'downloading', version: update.version });
    const url = update.urls[prefs.payload.urlIndex] ?? '';
    const { exitCode, httpStatus } = await download(url, update, signal);
    this.#last.httpStatus = httpStatus;
    if (exitCode !== 0) return exitCode;
    prefs.payload = fetched(prefs.payload, update, clock.now(), random());
    this.phase = 'finalizing';
    await link.event({ type: 14, result: 1 }, signal);
    tell({ kind: 'downloaded', version: update.version });
    const installCode = install(update.version);
    if (installCode !== 0) return installCode;
    await link.event({ type: 3, result: 1 }, signal);
    prefs.previousVersion = version;
    this.installed = update.version;
    this.phase = 'needs-reboot';
    tell({ kind: 'installed', version: update.version });
    return undefined;
  }

  /** What the check says about the last boot; it is said once, whether the server hears it or not. */
  #bootEvent(): OmahaEvent {
    const { prefs, version } = this.#options;
    const previous = prefs.previousVersion;
    prefs.previousVersion = '';
    if (previous === version) return { type: 3, result: 0, errorCode: exitCodes.RollbackError };
    return { type: 3, result: 2, previousVersion: previous ?? '0.0.0.0' };
  }

  async #reportError(exitCode: number, signal: AbortSignal): Promise<void> {
    const { link, prefs, clock, random, tell } = this.#options;
    this.phase = 'reporting-error';
    const isDeferred = exitCode === exitCodes.OmahaUpdateDeferredForBackoff;
    if (this.#offer !== undefined)
      prefs.payload = spoilt(prefs.payload, this.#offer, exitCode, clock.now(), random());
    tell({ kind: isDeferred ? 'deferred' : 'failed', version: this.#offer?.version, exitCode });
    await link.event({ type: 3, result: isDeferred ? 9 : 0, errorCode: exitCode }, signal);
  }
}
