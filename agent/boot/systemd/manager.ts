import { join } from 'node:path';
import { connect } from './connection.ts';
import type { Connection } from './connection.ts';
import { BusError } from './bus-error.ts';

/** D-Bus value of a property with its signature. */
export type Property = readonly [name: string, value: readonly [signature: string, value: unknown]];

/** A unit as systemd has it now (ListUnitsByNames). */
export interface ListedUnit {
  name: string;
  /** loaded, not-found, masked, error, bad-setting. */
  load: string;
  /** active, reloading, inactive, failed, activating, deactivating. */
  active: string;
  sub: string;
  /** Of what systemd is about to do with it; 0: nothing. */
  job: number;
}

export type JobMember =
  'StartUnit' | 'StopUnit' | 'RestartUnit' | 'TryRestartUnit' | 'ReloadOrTryRestartUnit';

const SIGKILL = 9;
/** With many units, and all generators run anew. */
const RELOAD_MS = 60_000;

const SYSTEMD = 'org.freedesktop.systemd1';
const PATH = '/org/freedesktop/systemd1';

/**
 * systemd's own interface, `org.freedesktop.systemd1.Manager` (org.freedesktop.systemd1(5)); every method throws
 * `BusError`.
 */
export class Manager {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Over the system bus; over systemd's private socket where there is no bus, or no systemd on it. */
  static async connect(hostRoot: string): Promise<Manager> {
    try {
      return new Manager(await onBus(join(hostRoot, 'run/dbus/system_bus_socket')));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return new Manager(await privately(join(hostRoot, 'run/systemd/private'), error));
    }
  }

  async startUnit(name: string, mode: 'replace' | 'replace-irreversibly'): Promise<void> {
    await this.#call('StartUnit', 'ss', [name, mode]);
  }

  async stopUnit(name: string): Promise<void> {
    await this.#call('StopUnit', 'ss', [name, 'replace']);
  }

  /** Has systemd read all unit files anew (daemon-reload). */
  async reload(): Promise<void> {
    await this.#call('Reload', '', [], RELOAD_MS);
  }

  /** As `systemctl enable`, but for the daemon-reload. */
  async enableUnitFile(name: string): Promise<void> {
    await this.#call('EnableUnitFiles', 'asbb', [[name], false, true]);
  }

  /** As `systemctl disable`, but for the daemon-reload; also of a unit whose file is gone. */
  async disableUnitFile(name: string): Promise<void> {
    await this.#call('DisableUnitFiles', 'asb', [[name], false]);
  }

  /** As `systemctl unmask`, of both kinds, but for the daemon-reload. */
  async unmaskUnitFile(name: string): Promise<void> {
    for (const runtime of [false, true]) await this.#call('UnmaskUnitFiles', 'asb', [[name], runtime]);
  }

  /** enabled, disabled, static, masked, … (systemctl(1), is-enabled). */
  async unitFileState(name: string): Promise<string> {
    const [state] = await this.#call('GetUnitFileState', 's', [name]);
    return String(state);
  }

  /** Each unit by its name, also one that does not exist: its load state is not-found then. */
  async listUnits(names: readonly string[]): Promise<ListedUnit[]> {
    const [units] = await this.#call('ListUnitsByNames', 'as', [names]);
    return (units as unknown[][]).map(([name, , load, active, sub, , , job]) => ({
      name: String(name),
      load: String(load),
      active: String(active),
      sub: String(sub),
      job: Number(job),
    }));
  }

  /** initializing, starting, running, degraded, maintenance, stopping. */
  async systemState(): Promise<string> {
    return String(await this.#property(PATH, 'Manager', 'SystemState'));
  }

  /** A property of a unit's own interface, such as NRestarts of `Service`. */
  unitProperty(unit: string, type: 'Service' | 'Unit', name: string): Promise<unknown> {
    return this.#property(unitPath(unit), type, name);
  }

  async #property(path: string, type: 'Manager' | 'Service' | 'Unit', name: string): Promise<unknown> {
    const [value] = await this.connection.call({
      destination: SYSTEMD,
      path,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [`${SYSTEMD}.${type}`, name],
    });
    return value;
  }

  /** Forgets that a unit has failed, and how often it was started lately. */
  async resetFailed(unit: string): Promise<void> {
    await this.#call('ResetFailedUnit', 's', [unit]);
  }

  /** Begins a job; its object path. */
  async beginJob(member: JobMember, unit: string): Promise<string> {
    const [path] = await this.#call(member, 'ss', [unit, 'replace']);
    return String(path);
  }

  /** The job is off; what its unit runs for it (a reload that hangs) is killed. */
  async endJob(path: string, unit: string): Promise<void> {
    await this.#call('CancelJob', 'u', [Number(path.slice(path.lastIndexOf('/') + 1))]);
    await this.#call('KillUnit', 'ssi', [unit, 'control', SIGKILL]);
  }

  /** From now on the connection tells when jobs end. */
  async followJobs(): Promise<void> {
    if (!this.connection.viaBus) return;
    await this.#call('Subscribe', '', []);
    await this.#match(`interface='${SYSTEMD}.Manager',member='JobRemoved'`);
  }

  /** Makes a unit that lives as long as it runs, and starts it; no units beside it. */
  async startTransientUnit(name: string, properties: readonly Property[]): Promise<void> {
    await this.#call('StartTransientUnit', 'ssa(sv)a(sa(sv))', [name, 'fail', properties, []]);
  }

  /** From now on the connection tells when jobs end, and what changes in `unit`. */
  async follow(unit: string): Promise<void> {
    await this.followJobs();
    // Over its own socket systemd tells everything to everybody.
    if (!this.connection.viaBus) return;
    await this.#match(`path='${unitPath(unit)}',member='PropertiesChanged'`);
  }

  /** From now on the connection tells what changes in these units, and when units are enabled or disabled. */
  async followUnits(names: readonly string[]): Promise<void> {
    if (!this.connection.viaBus) return;
    await this.#call('Subscribe', '', []);
    await this.#match(`interface='${SYSTEMD}.Manager',member='UnitFilesChanged'`);
    for (const name of names) await this.#match(`path='${unitPath(name)}',member='PropertiesChanged'`);
  }

  close(): void {
    this.connection.close();
  }

  async #call(member: string, signature: string, body: unknown[], timeoutMs?: number): Promise<unknown[]> {
    const to = { destination: SYSTEMD, path: PATH, interface: `${SYSTEMD}.Manager`, member };
    return this.connection.call({ ...to, ...(signature === '' ? {} : { signature, body }) }, timeoutMs);
  }

  async #match(rule: string): Promise<void> {
    await this.connection.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'AddMatch',
      signature: 's',
      body: [`type='signal',sender='${SYSTEMD}',${rule}`],
    });
  }
}

async function onBus(socket: string): Promise<Connection> {
  const connection = await connect(socket, { direct: false });
  try {
    await connection.call({
      destination: SYSTEMD,
      path: PATH,
      interface: 'org.freedesktop.DBus.Peer',
      member: 'Ping',
    });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function privately(socket: string, why: BusError): Promise<Connection> {
  try {
    return await connect(socket, { direct: true });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    const message = `${why.message}; ${error.message}; is the host's /run mounted into the pod?`;
    throw new BusError('Unreachable', message, '', error);
  }
}

/** Object path of a unit: what is no letter or digit is written as `_` and two hexadecimal digits. */
export function unitPath(unit: string): string {
  const escaped = unit.replaceAll(
    /[^A-Za-z0-9]/g,
    (character) => `_${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `${PATH}/unit/${escaped}`;
}
