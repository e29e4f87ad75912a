import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#runtime/log/log.ts';
import { replaceFile, syncDirectory } from '../../record/replace-file.ts';
import type { Deadman, TrialBoot } from '../host.ts';
import { pathOnHost } from '../path-on-host.ts';
import { Manager } from '../systemd/manager.ts';
import { deadmanUnits, SERVICE, TIMER, tokenNames } from './deadman-units.ts';

export interface HostDeadmanOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  stateDir: string;
  log: Pick<Log, 'info' | 'warn'>;
}

/** How long after the agent's own deadline it fires: an agent that is there goes back by itself, and says why. */
const MARGIN_MS = 60_000;

const WANTS = 'timers.target.wants';

/**
 * A timer of the host's systemd. Needs `/etc/systemd/system` of the host to be writable, and its state directory to
 * be below the host's root; where either is not so, the machine goes without and the log says it.
 *
 * It is updated all the same, as its users want: boot loader and agent cover every failure but one, a system that
 * comes up without its agent, and a node that is lost to that one keeps its place in the reboot budget, so that the
 * rollout stands still instead of losing the next. To refuse would leave such hosts without updates for good.
 */
export class HostDeadman implements Deadman {
  readonly #options: HostDeadmanOptions;
  readonly #units: string;
  readonly #tokens: string;

  constructor(options: HostDeadmanOptions) {
    this.#options = options;
    this.#units = join(options.root, 'etc/systemd/system');
    this.#tokens = join(options.stateDir, 'deadman');
  }

  /** The tokens come last: without them the units do nothing. */
  async arm({ partUUID, judgedMs, tries }: TrialBoot): Promise<void> {
    const { root, log } = this.#options;
    try {
      const tokens = pathOnHost(root, this.#tokens);
      const units = deadmanUnits({ partUUID, firesMs: judgedMs + MARGIN_MS, tries, tokens });
      await replaceFile(join(this.#units, SERVICE), units.service, 0o644);
      await replaceFile(join(this.#units, TIMER), units.timer, 0o644);
      await this.#enable();
      for (const name of tokenNames(tries)) await replaceFile(join(this.#tokens, name), '');
    } catch (error) {
      log.warn('no deadman: a new system that comes up without its agent has to be switched back by hand', {
        error,
      });
    }
  }

  /** The tokens go first. What else cannot be removed is inert without them. */
  async disarm(): Promise<number | undefined> {
    const left = await namesIn(this.#tokens);
    const enabled = await namesIn(join(this.#units, WANTS));
    if (left === undefined && enabled?.includes(TIMER) !== true) return undefined;
    await this.#attempt('take away its tokens', () => this.#removeTokens());
    await this.#attempt('remove its units', () => this.#removeUnits());
    await this.#attempt('stop its timer', () => this.#stop());
    return left?.length;
  }

  async #enable(): Promise<void> {
    const wants = join(this.#units, WANTS);
    await mkdir(wants, { recursive: true, mode: 0o755 });
    const fresh = join(wants, `${TIMER}.new`);
    await rm(fresh, { force: true });
    await symlink(`../${TIMER}`, fresh);
    await rename(fresh, join(wants, TIMER));
    await syncDirectory(wants);
  }

  async #removeTokens(): Promise<void> {
    await rm(this.#tokens, { recursive: true, force: true });
    await syncDirectory(this.#options.stateDir);
  }

  async #removeUnits(): Promise<void> {
    for (const name of [join(WANTS, TIMER), TIMER, SERVICE])
      await rm(join(this.#units, name), { force: true });
    await syncDirectory(this.#units);
  }

  /** It may run in this very boot. */
  async #stop(): Promise<void> {
    const manager = await Manager.connect(this.#options.root);
    try {
      await manager.stopUnit(TIMER);
    } finally {
      manager.close();
    }
  }

  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.log.warn(`the deadman is off, but the agent could not ${what}`, { error });
    }
  }
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  return readdir(directory).catch(() => undefined);
}
