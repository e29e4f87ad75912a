import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeconfig } from '#test/cluster/kubeconfig.ts';
import { asAdmin } from './as-admin.ts';
import { bootUp, disklessSystem, type System } from './boot.ts';
import { labelControlPlane } from './control-plane-role.ts';
import { deleteNode } from './delete-node.ts';
import { createDisk } from './disk.ts';
import type { Kubelet } from './kubelet/kubelet.ts';
import { DEFAULT_TIMES, type MachineOptions, type MachineTimes } from './machine-options.ts';
import type { Machine, MachineProcess, MachineState, Power } from './machine.ts';
import { REBOOT_FILE, rebootRequested } from './reboot-request.ts';
import { slotStates } from './slot-states.ts';
import { Uplink } from './uplink.ts';
import { userland } from './userland.ts';

/** Makes a machine that is switched off: its disk, its credentials, its network cable. */
export async function createMachine(options: MachineOptions): Promise<Machine> {
  const { cluster, name, directory } = options;
  await mkdir(directory, { recursive: true });
  const disk = options.osImage === undefined ? undefined : join(directory, 'disk.img');
  if (disk !== undefined) createDisk(disk, { usrMiB: options.usrMiB, osImage: options.osImage });
  const uplink = await Uplink.open(cluster.url);
  const credential = await cluster.issueClientCert({ user: `system:node:${name}`, groups: ['system:nodes'] });
  const config = kubeconfig({ url: uplink.url, caPem: cluster.caPem }, credential);
  await writeFile(join(directory, 'kubelet.kubeconfig'), config, { mode: 0o600 });
  return new SimulatedMachine(options, disk, uplink);
}

/** A machine of which only the kernel is missing: disk, bootloader, kubelet and careen's programs are real. */
class SimulatedMachine implements Machine {
  readonly name: string;
  readonly directory: string;
  readonly disk: string | undefined;
  readonly #options: MachineOptions;
  readonly #times: MachineTimes;
  readonly #uplink: Uplink;
  readonly #events = new EventEmitter();
  #power: Power = 'off';
  #boots = 0;
  #bootID: string | undefined;
  #system: System | undefined;
  #kubelet: Kubelet | undefined;
  #cut = new AbortController();
  #life: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(options: MachineOptions, disk: string | undefined, uplink: Uplink) {
    this.name = options.name;
    this.directory = options.directory;
    this.disk = disk;
    this.#options = options;
    this.#times = { ...DEFAULT_TIMES, ...options.times };
    this.#uplink = uplink;
    this.#events.setMaxListeners(0);
  }

  powerOn(): void {
    if (this.#power !== 'off') return;
    this.#cut = new AbortController();
    this.#set('booting');
    this.#life = this.#live(this.#cut.signal);
  }

  async cutPower(): Promise<void> {
    this.#cut.abort();
    await this.#kubelet?.kill();
    await this.#life;
    this.#set('off');
  }

  async reboot(): Promise<void> {
    if (this.#power === 'up') await writeFile(join(this.directory, 'run', REBOOT_FILE), '');
  }

  async waitForBoot(boot: number, timeoutMs = 300_000): Promise<MachineState> {
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
    this.#uplink.unplug();
  }

  plug(): void {
    this.#uplink.plug();
  }

  async delete(): Promise<void> {
    await this.cutPower();
    await this.#uplink.close();
    await asAdmin(this.#options.cluster, (admin) => deleteNode(admin, this.name));
    await rm(this.directory, { recursive: true, force: true });
  }

  state(): MachineState {
    return {
      power: this.#power,
      boots: this.#boots,
      bootID: this.#bootID,
      running: this.#system?.slot?.name,
      version: this.#system?.version,
      slots: this.disk === undefined ? [] : slotStates(this.disk),
    };
  }

  processes(): MachineProcess[] {
    const containers = this.#kubelet?.containers() ?? [];
    return containers.flatMap(({ pod, container }) => {
      if (container.pid === undefined) return [];
      const { name, namespace = 'default' } = pod.metadata;
      return [{ namespace, pod: name, container: container.name, pid: container.pid }];
    });
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): number {
    const containers = (this.#kubelet?.containers() ?? []).map(({ container }) => container);
    const hit = containers.filter((container) => container.name === name && container.pid !== undefined);
    for (const container of hit) container.signal(signal);
    return hit.length;
  }

  /** From power-on to power-off: boots, runs until a reboot is asked for, boots again. */
  async #live(power: AbortSignal): Promise<void> {
    try {
      while (!power.aborted) {
        this.#set('booting');
        this.#system = await this.#startUp(power);
        if (this.#system === undefined) return this.#set('stuck');
        await this.#runSystem(this.#system, power);
      }
    } catch (error) {
      if (!power.aborted) this.#failure = error;
      this.#events.emit('change');
    }
  }

  async #startUp(power: AbortSignal): Promise<System | undefined> {
    this.#system = undefined;
    if (this.disk !== undefined) return bootUp(this.disk, this.#times, power);
    await sleep(this.#times.bootMs, undefined, { signal: power });
    return disklessSystem('0.0.0');
  }

  async #runSystem(system: System, power: AbortSignal): Promise<void> {
    const bootID = randomUUID();
    const booted = { system, bootID, apiUrl: this.#uplink.url, disk: this.disk, times: this.#times };
    const kubelet = await userland(this.#options, booted);
    if (power.aborted) return kubelet.kill();
    this.#kubelet = kubelet;
    kubelet.start();
    const reboot = rebootRequested(join(this.directory, 'run'), power);
    this.#bootID = bootID;
    this.#boots += 1;
    this.#set('up');
    if (this.#options.role === 'control-plane') void this.#takeRole(power);
    await reboot;
    if (!power.aborted) await this.#shutDown(kubelet, power);
  }

  async #shutDown(kubelet: Kubelet, power: AbortSignal): Promise<void> {
    this.#set('stopping');
    const { shutdownMs, maxGraceMs } = this.#times;
    const least = sleep(shutdownMs, undefined, { signal: power }).catch(() => {});
    await Promise.all([kubelet.shutDown(maxGraceMs), least]);
  }

  async #takeRole(power: AbortSignal): Promise<void> {
    await asAdmin(this.#options.cluster, (admin) => labelControlPlane(admin, this.name, power));
  }

  #set(power: Power): void {
    this.#power = power;
    this.#events.emit('change');
  }
}
