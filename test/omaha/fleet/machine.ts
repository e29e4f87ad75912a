import { hash } from 'node:crypto';
import type { Clock } from '../client/clock.ts';
import type { Download } from '../client/download.ts';
import { Link } from '../client/link.ts';
import { seeded, type Random } from '../client/random.ts';
import type { Transport } from '../client/transport.ts';
import { MINUTE_MS } from '../client/units.ts';
import { freshPrefs, UpdateEngine, type Happening, type Phase } from '../client/update-engine.ts';
import type { Dialect, Identity } from '../wire/request.ts';
import { fateOf, installCode, type Fate, type Fortunes } from './fate.ts';

/** What a machine does beyond update_engine's own doings. */
export type Turn = { kind: 'rebooting' | 'booted' | 'fell-back' | 'vanished' | 'restarted'; version: string };

/** When an installed machine reboots, and how long that takes, in ms of its own time. */
export interface RebootHabit {
  delayMs: number;
  takesMs: number;
  /** Asked before the reboot, and waited for; reboots come when they will unless told. */
  mayReboot?: ((machine: Machine, signal: AbortSignal) => Promise<void>) | undefined;
}

export interface MachineOptions {
  index: number;
  seed: string;
  identity: Omit<Identity, 'machineID' | 'bootID' | 'alephVersion'>;
  dialect: Dialect;
  transport: Transport;
  clock: Clock;
  download: Download;
  fortunes: Fortunes;
  reboot: RebootHabit;
  /** Bits that go with error codes. */
  flags: number;
  tell: (machine: Machine, what: Happening | Turn) => void;
}

/** Reboots are spread by a quarter to both sides. */
const REBOOT_FUZZ = 0.5;

/** A machine with two slots and an update_engine, from its first boot to its last. */
export class Machine {
  readonly machineID: string;
  version: string;
  vanished = false;
  readonly #options: MachineOptions;
  readonly #random: Random;
  readonly #aleph: string;
  readonly #prefs = freshPrefs();
  #engine: UpdateEngine | undefined;
  #boots = 0;
  #fate: Fate = 'installed';
  #boot = new AbortController();

  constructor(options: MachineOptions) {
    this.#options = options;
    this.machineID = hash('sha256', `${options.seed}/${options.index}`).slice(0, 32);
    this.#random = seeded(`${options.seed}/${options.index}`);
    this.version = this.#aleph = options.identity.version;
  }

  get phase(): Phase {
    return this.#engine?.phase ?? 'idle';
  }

  /** Runs boot after boot until `signal` aborts or the machine vanishes. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.vanished) {
      await this.#runBoot(signal).catch((error: unknown) => {
        if (!this.#boot.signal.aborted && !signal.aborted) throw error;
      });
      if (!signal.aborted) await this.#comeUp(signal).catch(() => {}); // only the end of all interrupts it
    }
  }

  /** A check on demand, in the middle of whatever else happens; nothing comes of it while an update goes on. */
  async checkNow(signal: AbortSignal): Promise<void> {
    await this.#engine?.check(true, AbortSignal.any([signal, this.#boot.signal]));
  }

  async #runBoot(signal: AbortSignal): Promise<void> {
    const { clock, download, reboot } = this.#options;
    this.#boot = new AbortController();
    this.#boots++;
    const alive = AbortSignal.any([signal, this.#boot.signal]);
    this.#engine = new UpdateEngine({
      version: this.version,
      prefs: this.#prefs,
      link: this.#link(),
      clock,
      random: this.#random,
      download: (url, update, until) => this.#interrupted() ?? download(url, update, until),
      install: () => installCode(this.#fate),
      tell: (what) => this.#hear(what, alive, reboot),
    });
    await this.#engine.run(alive);
  }

  #link(): Link {
    const { dialect, transport, clock, flags } = this.#options;
    return new Link({ dialect, transport, clock, flags, identity: () => this.identity });
  }

  /** What it says of itself at this moment. */
  get identity(): Identity {
    const boot = hash('sha256', `${this.machineID}/${this.#boots}`);
    const bootID = `{${boot.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')}}`;
    const { machineID, version } = this;
    return { ...this.#options.identity, machineID, version, bootID, alephVersion: this.#aleph };
  }

  #hear(what: Happening, alive: AbortSignal, habit: RebootHabit): void {
    if (what.kind === 'offered') this.#fate = fateOf(this.#options.fortunes, what.version, this.#random);
    this.#options.tell(this, what);
    if (what.kind === 'installed') this.#rebootSoon(alive, habit).catch(() => {}); // it went down otherwise
  }

  async #rebootSoon(alive: AbortSignal, { delayMs, mayReboot }: RebootHabit): Promise<void> {
    await this.#options.clock.sleep(delayMs * (1 + (this.#random() - 0.5) * REBOOT_FUZZ), alive);
    await mayReboot?.(this, alive);
    this.#options.tell(this, { kind: 'rebooting', version: this.version });
    this.#boot.abort();
  }

  /** A machine that restarts or vanishes does so in the middle of its download. */
  #interrupted(): Promise<never> | undefined {
    if (this.#fate !== 'restarts' && this.#fate !== 'vanishes') return undefined;
    this.#boot.abort();
    return Promise.reject(this.#boot.signal.reason as Error);
  }

  async #comeUp(signal: AbortSignal): Promise<void> {
    const installed = this.#engine?.installed;
    if (this.#fate === 'vanishes') {
      this.vanished = true;
      return this.#options.tell(this, { kind: 'vanished', version: this.version });
    }
    await this.#options.clock.sleep(this.#options.reboot.takesMs, signal);
    if (installed === undefined)
      return this.#options.tell(this, { kind: 'restarted', version: this.version });
    if (this.#fate === 'falls-back')
      return this.#options.tell(this, { kind: 'fell-back', version: installed });
    this.version = installed;
    this.#options.tell(this, { kind: 'booted', version: installed });
  }
}

/** Reboots five minutes after the install, for two minutes. */
export const promptReboot: RebootHabit = { delayMs: 5 * MINUTE_MS, takesMs: 2 * MINUTE_MS };
