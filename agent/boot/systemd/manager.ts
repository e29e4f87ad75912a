import { join } from 'node:path';
import { connect } from './connection.ts';
import type { Connection } from './connection.ts';
import { BusError } from './bus-error.ts';

/** D-Bus value of a property with its signature. */
export type Property = readonly [name: string, value: readonly [signature: string, value: unknown]];

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

  /** Makes a unit that lives as long as it runs, and starts it; no units beside it. */
  async startTransientUnit(name: string, properties: readonly Property[]): Promise<void> {
    await this.#call('StartTransientUnit', 'ssa(sv)a(sa(sv))', [name, 'fail', properties, []]);
  }

  /** From now on the connection tells when jobs end, and what changes in `unit`. */
  async follow(unit: string): Promise<void> {
    // Over its own socket systemd tells everything to everybody.
    if (!this.connection.viaBus) return;
    await this.#call('Subscribe', '', []);
    await this.#match(`interface='${SYSTEMD}.Manager',member='JobRemoved'`);
    await this.#match(`path='${unitPath(unit)}',member='PropertiesChanged'`);
  }

  close(): void {
    this.connection.close();
  }

  async #call(member: string, signature: string, body: unknown[]): Promise<unknown[]> {
    return this.connection.call({
      destination: SYSTEMD,
      path: PATH,
      interface: `${SYSTEMD}.Manager`,
      member,
      ...(signature === '' ? {} : { signature, body }),
    });
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
