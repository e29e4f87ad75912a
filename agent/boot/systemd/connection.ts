import { setTimeout as sleep } from 'node:timers/promises';
import { BusError } from './bus-error.ts';

/** A method to call: where, which, and with what (D-Bus specification, "Method Calls"). */
export interface Call {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: unknown[];
}

/** What happened, told by the other side; its strings and numbers are not checked. */
export interface Signal {
  path: string;
  member: string;
  body: unknown[];
}

/** One connection to a bus, or to one process alone. */
export interface Connection {
  /** The values of the answer. Throws `BusError`. */
  call(call: Call, timeoutMs?: number): Promise<unknown[]>;
  /** Whether it leads to a bus: signals have to be asked for there. */
  readonly viaBus: boolean;
  onSignal(listener: (signal: Signal) => void): void;
  /** Ends when the connection does, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
}

const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;
const GREET_MS = 100;
/** The largest answer that is ever needed is a list of inhibitors. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Connects to a bus (`direct` false) or to a process that serves its own socket, where there is no Hello and no
 * destination. Throws `BusError`.
 */
export async function connect(socket: string, { direct }: { direct: boolean }): Promise<Connection> {
  // Loaded when it is needed: a reboot is rare and the agent idles for months.
  const { default: dbus } = await import('dbus-native');
  const options = { socket, direct, authMethods: ['EXTERNAL'], maxMessageSize: MAX_MESSAGE_BYTES };
  const bus = dbus.createClient(options);
  const closed = new Promise<void>((resolve) => {
    bus.connection.on('close', resolve);
    bus.connection.on('end', resolve);
    bus.connection.on('error', resolve);
  });
  try {
    await connected(bus, socket);
    if (direct) await greet(bus, socket);
  } catch (error) {
    bus.connection.stream?.destroy();
    throw error;
  }
  return {
    viaBus: !direct,
    closed: closed.then(() => undefined),
    call: (call, timeoutMs = ANSWER_MS) => invoke(bus, direct ? withoutDestination(call) : call, timeoutMs),
    onSignal: (listener) => bus.connection.on('message', (message) => tell(listener, message)),
    close: () => bus.connection.end(),
  };
}

type Bus = ReturnType<typeof import('dbus-native').createClient>;
type Message = Parameters<Bus['invoke']>[0];

const SIGNAL = 4;

function connected({ connection }: Bus, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new BusError('Unreachable', `cannot reach ${socket}: ${why}`, '', cause));
    const timer = setTimeout(() => fail(`no answer within ${CONNECT_MS / 1000} s`), CONNECT_MS);
    connection.on('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    connection.on('error', (error: unknown) => {
      clearTimeout(timer);
      fail(error instanceof Error ? error.message : String(error), error);
    });
    connection.on('end', () => {
      clearTimeout(timer);
      fail('it hung up');
    });
  });
}

/**
 * A message that systemd reads in one go with the end of the handshake lies there until the next one comes. So it
 * is greeted until it answers, whichever of the greetings, before anything is asked that must not be asked twice.
 */
async function greet(bus: Bus, socket: string): Promise<void> {
  const { promise: answered, resolve } = Promise.withResolvers<true>();
  for (const end = performance.now() + CONNECT_MS; performance.now() < end;) {
    void ping(bus).then((answer) => answer && resolve(true));
    if (await Promise.race([answered, sleep(GREET_MS, false)])) return;
  }
  throw new BusError('Unreachable', `cannot reach ${socket}: no answer within ${CONNECT_MS / 1000} s`);
}

/** A refusal is an answer too. */
function ping(bus: Bus): Promise<boolean> {
  const call = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  return invoke(bus, call, CONNECT_MS).then(
    () => true,
    (error: unknown) => error instanceof BusError && error.code === 'Refused',
  );
}

function withoutDestination(call: Call): Message {
  const direct: Message = { ...call };
  delete direct.destination;
  return direct;
}

/** dbus-native makes a promise only of what is awaited, and gives several values as one array. */
async function invoke(bus: Bus, call: Message, timeout: number): Promise<unknown[]> {
  const what = `${call.interface}.${call.member}`;
  try {
    return await new Promise<unknown[]>((resolve, reject) => {
      bus.invoke(call, { timeout }, (error: unknown, ...values: unknown[]) => {
        if (error instanceof Error) reject(error);
        else resolve(values);
      });
    });
  } catch (error) {
    throw asBusError(error, what);
  }
}

/** dbus-native gives its own time-out and broken connection the name of a D-Bus error as well. */
function asBusError(error: unknown, what: string): BusError {
  const { dbusName, code } = error as { dbusName?: string; code?: string };
  const text = error instanceof Error ? error.message : String(error);
  if (dbusName === undefined || code === 'ETIMEDOUT' || code === 'ECONNCLOSED')
    return new BusError('NoAnswer', `no answer to ${what}: ${text}`, '', error);
  return new BusError('Refused', `${what} was refused (${dbusName}: ${text})`, dbusName, error);
}

function tell(listener: (signal: Signal) => void, message: unknown): void {
  const { type, path, member, body } = message as Partial<Signal> & { type?: number };
  if (type === SIGNAL && path !== undefined && member !== undefined)
    listener({ path, member, body: body ?? [] });
}
