import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '#runtime/log/log.ts';
import { pathOnHost } from '#agent/boot/path-on-host.ts';
import { replaceFile, syncDirectory } from '#agent/record/replace-file.ts';
import { configErrorOf } from '../config-error.ts';
import type { Units } from '../units/units.ts';
import type { Confirmation, Unconfirmed } from './confirm.ts';
import { BOOT_SERVICE, confirmUnits, SERVICE, TIMER } from './confirm-units.ts';
import { undoScript } from './undo-script.ts';

export interface HostConfirmationOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  /** The agent's state directory; below `root`, so that the host sees it too. */
  stateDir: string;
  units: Units;
  log: Pick<Log, 'warn'>;
}

/** An agent that is there undoes a change itself, and says why. */
const MARGIN_MS = 30_000;
const LIMIT_MS = 30_000;

const TIMERS = 'timers.target.wants';
const BOOTS = 'sysinit.target.wants';

/** A timer of the host's systemd, and a shell script: the host has neither Node nor, perhaps, an agent any more. */
export class HostConfirmation implements Confirmation {
  readonly #options: HostConfirmationOptions;
  readonly #units: string;
  readonly #directory: string;

  constructor(options: HostConfirmationOptions) {
    this.#options = options;
    this.#units = join(options.root, 'etc/systemd/system');
    this.#directory = join(options.stateDir, 'confirm');
  }

  /** The script comes last but for the timer's start: without it the units do nothing. */
  async arm(change: Unconfirmed): Promise<void> {
    try {
      await this.#write(change);
    } catch (error) {
      throw configErrorOf(error, 'arming the confirmation timer in', '/etc/systemd/system');
    }
    const { units } = this.#options;
    await units.reload();
    await units.job('rerun', TIMER, LIMIT_MS);
  }

  /** The script goes first. What else cannot be removed is inert without it. */
  async disarm(): Promise<void> {
    if (!existsSync(this.#directory) && !existsSync(join(this.#units, TIMER))) return;
    await this.#attempt('remove its script', () => this.#remove(this.#directory));
    await this.#attempt('stop its timer', () => this.#options.units.job('stop', TIMER, LIMIT_MS));
    await this.#attempt('remove its units', async () => {
      for (const name of [join(TIMERS, TIMER), join(BOOTS, BOOT_SERVICE), TIMER, SERVICE, BOOT_SERVICE])
        await rm(join(this.#units, name), { force: true });
    });
  }

  async #write(change: Unconfirmed): Promise<void> {
    const directory = pathOnHost(this.#options.root, this.#directory);
    const { timer, service, boot } = confirmUnits(directory, change.timeoutMs + MARGIN_MS);
    await this.#remove(this.#directory);
    await replaceFile(join(this.#units, SERVICE), service, 0o644);
    await replaceFile(join(this.#units, BOOT_SERVICE), boot, 0o644);
    await replaceFile(join(this.#units, TIMER), timer, 0o644);
    await this.#want(BOOTS, BOOT_SERVICE);
    await this.#want(TIMERS, TIMER);
    for (let boots = change.boots; boots > 0; boots -= 1)
      await replaceFile(join(this.#directory, 'boots', String(boots)), '');
    await replaceFile(join(this.#directory, 'undo.sh'), undoScript(change, directory));
  }

  async #want(target: string, name: string): Promise<void> {
    const wants = join(this.#units, target);
    await mkdir(wants, { recursive: true, mode: 0o755 });
    const fresh = join(wants, `${name}.new`);
    await rm(fresh, { force: true });
    await symlink(`../${name}`, fresh);
    await rename(fresh, join(wants, name));
    await syncDirectory(wants);
  }

  async #remove(directory: string): Promise<void> {
    await rm(join(directory, 'undo.sh'), { force: true });
    await rm(directory, { recursive: true, force: true });
    await syncDirectory(dirname(directory));
  }

  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.log.warn(`the confirmation timer is off, but the agent could not ${what}`, { error });
    }
  }
}
