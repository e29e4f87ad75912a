/** Whether electricity flows and what the machine does with it. `stuck`: the bootloader found nothing to boot. */
export type Power = 'off' | 'booting' | 'up' | 'stopping' | 'stuck';

/** A boot slot as the bootloader sees it. */
export interface SlotState {
  name: string;
  priority: number;
  tries: number;
  successful: boolean;
}

export interface MachineState {
  power: Power;
  /** Ordinal of the last completed boot; 0 before the first. Resets in the bootloader do not count. */
  boots: number;
  bootID: string | undefined;
  /** Name of the running slot, USR-A or USR-B; undefined for a machine without a disk. */
  running: string | undefined;
  /** VERSION_ID of what runs. */
  version: string | undefined;
  slots: SlotState[];
}

/** A process that runs on the machine for a container. */
export interface MachineProcess {
  namespace: string;
  pod: string;
  container: string;
  pid: number;
}

/** A computer with power, a network cable, perhaps a disk with two OS slots, and a kubelet. */
export interface Machine {
  readonly name: string;
  /** Everything that the machine keeps: disk image, root file system, logs. */
  readonly directory: string;
  /** File of the disk; undefined for a machine without OS slots. */
  readonly disk: string | undefined;

  powerOn(): void;
  /** Takes the electricity away: every process dies at once, nothing is posted. Resolves when all are dead. */
  cutPower(): Promise<void>;
  /** `systemctl reboot`: processes are asked to end, then the bootloader runs. */
  reboot(): Promise<void>;
  /** Resolves when boot number `boot` (or a later one) has come up; rejects after `timeoutMs` (a minute or more). */
  waitForBoot(boot: number, timeoutMs?: number): Promise<MachineState>;
  /** Pulls the network cable: packets of kubelet and pods are lost, connections are not told. */
  unplug(): void;
  plug(): void;
  /** Cuts the power and removes the machine, its files and its Node object. */
  delete(): Promise<void>;

  state(): MachineState;
  processes(): MachineProcess[];
  /** Signals the processes of a container, as `docker kill` does; returns how many there were. */
  kill(container: string, signal?: NodeJS.Signals): number;
}
