/** What systemd knows of a unit. */
export interface UnitFacts {
  name: string;
  /** Whether there is such a unit at all. */
  exists: boolean;
  /** enabled, disabled, static, masked, … (systemctl(1), is-enabled); empty where systemd does not say. */
  enablement: string;
  /** active, inactive, failed, activating, … */
  active: string;
  /** How often systemd itself has restarted it since it was started by anybody else. */
  restarts: number;
  /** systemd is about to start or stop it, so that what holds now does not hold for long. */
  pending: boolean;
  /** A service that does its work and ends (Type=oneshot): it does not run, and is not stopped. */
  ends: boolean;
}

/** Tells of changes until it is closed; one whose connection broke tells of nothing any more. */
export interface UnitWatch {
  readonly broken: boolean;
  close(): void;
}

export const JOBS = {
  start: 'StartUnit',
  stop: 'StopUnit',
  /** Of a unit that does not run: nothing. */
  restart: 'TryRestartUnit',
  /** Also of one that does not run: it runs once more. */
  rerun: 'RestartUnit',
  /** A unit that cannot be reloaded is restarted. */
  reload: 'ReloadOrTryRestartUnit',
} as const;
export type Job = keyof typeof JOBS;

/** The host's units. Every method rejects with `ConfigError` ActionFailed when systemd refuses or does not answer. */
export interface Units {
  /** Facts of each, in the order of `names`. */
  facts(names: readonly string[]): Promise<UnitFacts[]>;
  /** daemon-reload. */
  reload(): Promise<void>;
  enable(name: string): Promise<void>;
  disable(name: string): Promise<void>;
  /** So that it can be enabled and started again. */
  unmask(name: string): Promise<void>;
  /** Whether the machine is going down, and stops all units. */
  stopping(): Promise<boolean>;
  /** Calls back when one of the units may have changed, or which units are enabled. */
  watch(names: readonly string[], onChange: () => void): Promise<UnitWatch>;
  /** Returns when systemd is done with it; after `limitMs` it is called off and what runs for it is killed. */
  job(job: Job, name: string, limitMs: number): Promise<void>;
}
