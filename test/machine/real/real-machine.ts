import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asAdmin } from '../as-admin.ts';
import { bootDisk } from '../boot-disk.ts';
import { labelControlPlane } from '../control-plane-role.ts';
import { deleteNode } from '../delete-node.ts';
import type { FirmwareSlot } from '../firmware.ts';
import type { Machine, MachineProcess, MachineState, Power } from '../machine.ts';
import { osVersion } from '../os-version.ts';
import { slotStates } from '../slot-states.ts';
import { AttachedDisk } from './attached-disk.ts';
import { containersOf } from './containers.ts';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { execIn, type ExecResult } from './exec-in.ts';
import { plugIn } from './plug-in.ts';
import {
  DEFAULT_REAL_TIMES,
  type RealMachineOptions,
  type RealMachineTimes,
} from './real-machine-options.ts';
import { RealNodeError } from './real-node-error.ts';
import type { Ending, RunningNode } from './running-node.ts';
import { startNode, type BootPlan } from './start-node.ts';

/** One boot of a machine. */
interface Boot extends BootPlan {
  node: RunningNode;
}

/**
 * A machine with a disk, firmware and a network card of its own on which everything from PID 1 on is real: systemd,
 * containerd, the kubelet and what pods run. Only the kernel is this computer's.
 */
export class RealMachine implements Machine {
  readonly name: string;
  readonly directory: string;
  readonly disk: string;
  /** Its address in the fleet's network. */
  readonly address: string;
  readonly #options: RealMachineOptions;
  readonly #times: RealMachineTimes;
  readonly #events = new EventEmitter();
  #power: Power = 'off';
  #boots = 0;
  #bootID: string | undefined;
  #boot: Boot | undefined;
  #version: string | undefined;
  #plugged = true;
  #cut = new AbortController();
  #life: Promise<void> = Promise.resolve();
  readonly #failed = Promise.withResolvers<never>();
  #failure: unknown;

  constructor(options: RealMachineOptions, disk: string) {
    this.name = options.identity.name;
    this.address = options.identity.address;
    this.directory = options.directory;
    this.disk = disk;
    this.#options = options;
    this.#times = { ...DEFAULT_REAL_TIMES, ...options.times };
    this.#events.setMaxListeners(0);
    this.#failed.promise.catch(() => {}); // whoever waits for the machine is told
  }

  /** Rejects when this computer could not do what the machine needed; it stands still then. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Where this computer sees the running node's root directory, with its own /proc, /dev and /usr. */
  get root(): string {
    return this.#running().path('/');
  }

  powerOn(): void {
    if (this.#power !== 'off') return;
    this.#cut = new AbortController();
    this.#set('booting');
    this.#life = this.#live(this.#cut.signal);
  }

  async cutPower(): Promise<void> {
    this.#cut.abort();
    await this.#boot?.node.kill();
    await this.#life;
    this.#set('off');
  }

  async reboot(): Promise<void> {
    if (this.#power !== 'up') return;
    this.#set('stopping');
    await this.exec(['systemctl', 'reboot']); // its status is lost where the node goes down at once
  }

  async waitForBoot(boot: number, timeoutMs = 60_000): Promise<MachineState> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (this.#boots < boot) {
      if (this.#failure !== undefined) throw this.#failure;
      await once(this.#events, 'change', { signal }).catch((cause: unknown) => {
        throw new Error(`${this.name} is ${this.#power} after boot ${this.#boots}, not ${boot}`, { cause });
      });
    }
    return this.state();
  }

  unplug(): void {
    this.#setCable(false);
  }

  plug(): void {
    this.#setCable(true);
  }

  async delete(): Promise<void> {
    await this.cutPower();
    await asAdmin(this.#options.cluster, (admin) => deleteNode(admin, this.name));
    await rm(this.directory, { recursive: true, force: true });
  }

  state(): MachineState {
    return {
      power: this.#power,
      boots: this.#boots,
      bootID: this.#bootID,
      running: this.#boot?.slot.name,
      version: this.#version,
      slots: slotStates(this.disk),
    };
  }

  processes(): MachineProcess[] {
    const node = this.#boot?.node;
    return node === undefined ? [] : containersOf(node.path('/'), this.#options.group);
  }

  kill(container: string, signal: NodeJS.Signals = 'SIGKILL'): number {
    const hit = this.processes().filter((each) => each.container === container);
    return hit.filter(({ pid }) => reached(pid, signal)).length;
  }

  /** Runs a program inside the node, as somebody who is logged in there as root. */
  async exec(argv: readonly string[]): Promise<ExecResult> {
    return execIn(this.#running().init ?? 0, argv);
  }

  #running(): RunningNode {
    if (this.#boot === undefined) {
      throw new RealNodeError('NodeFailed', `${this.name} is ${this.#power}: nothing runs there`);
    }
    return this.#boot.node;
  }

  /** From power-on to power-off: the firmware chooses, the kernel boots, and again after each reset. */
  async #live(power: AbortSignal): Promise<void> {
    try {
      while (!power.aborted) {
        this.#set('booting');
        const slot = bootDisk(this.disk);
        if (slot === undefined) return this.#set('stuck');
        const ending = await this.#runSlot(slot, power);
        if (ending === 'power-off') return this.#set('off');
        if (ending === 'died') await sleep(this.#times.resetMs, undefined, { signal: power }).catch(() => {});
      }
    } catch (error) {
      this.#failure = error;
      this.#failed.reject(error);
      await appendFile(join(this.directory, 'console.log'), `${String(error)}\n`);
      this.#events.emit('change');
    }
  }

  async #runSlot(slot: FirmwareSlot, power: AbortSignal): Promise<Ending> {
    const bootID = randomUUID();
    const { group, ledger } = this.#options;
    await removeControlGroups(group);
    await makeControlGroups(group);
    const disk = await AttachedDisk.attach(this.disk, ledger);
    try {
      const plan = { slot, bootID, disk };
      const node = await startNode(this.#options, plan);
      this.#boot = { ...plan, node };
      if (power.aborted) await node.kill();
      else await plugIn(node, this.#options, () => this.#plugged);
      await this.#comeUp(this.#boot);
      return await node.ended;
    } finally {
      this.#boot = undefined;
      await disk.detach();
      await removeControlGroups(group);
    }
  }

  /** From the jump into the slot's init until PID 1 has taken over, the watchdog counts. */
  async #comeUp({ bootID, node }: Boot): Promise<void> {
    let deadline = Infinity;
    while (!node.up) {
      if (!node.running) return;
      if (node.jumped) deadline = Math.min(deadline, performance.now() + this.#times.watchdogMs);
      if (performance.now() >= deadline) return node.kill();
      await sleep(10);
    }
    this.#version = osVersion(readFileSync(node.path('usr/lib/os-release'), 'utf8'));
    this.#bootID = bootID;
    this.#boots += 1;
    this.#set('up');
    if (this.#options.role === 'control-plane') void this.#takeRole(node);
  }

  async #takeRole(node: RunningNode): Promise<void> {
    const down = new AbortController();
    void node.ended.then(() => down.abort());
    await asAdmin(this.#options.cluster, (admin) => labelControlPlane(admin, this.name, down.signal));
  }

  #setCable(up: boolean): void {
    this.#plugged = up;
    const { network, identity } = this.#options;
    // Off, there is no cable: the next boot brings one, plugged in or not.
    void network.setCable(identity.cable, up).catch(() => {});
  }

  #set(power: Power): void {
    this.#power = power;
    this.#events.emit('change');
  }
}

/** False: it has ended since it was listed. */
function reached(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
