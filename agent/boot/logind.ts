import { RebootError } from './host.ts';

/** How long logind may take to answer; inhibitors that delay a shutdown delay it after the answer. */
const ANSWER_MS = 30_000;

/**
 * Asks systemd-logind on the system bus at `socket` to reboot: `org.freedesktop.login1.Manager.Reboot(false)`,
 * which honours inhibitors and stops units in order (org.freedesktop.login1(5)). Throws `RebootError`.
 */
export async function rebootByLogind(socket: string): Promise<void> {
  // Loaded when it is needed: a reboot is rare and the agent idles for months.
  const { default: dbus } = await import('dbus-native');
  const bus = dbus.createClient({ socket, authMethods: ['EXTERNAL'], timeout: ANSWER_MS });
  let connected = false;
  bus.connection.on('connect', () => {
    connected = true;
  });
  try {
    await call(bus, {
      destination: 'org.freedesktop.login1',
      path: '/org/freedesktop/login1',
      interface: 'org.freedesktop.login1.Manager',
      member: 'Reboot',
      signature: 'b',
      body: [false],
    });
  } catch (error) {
    // No answer after the question may well mean that the machine is on its way down: the boot will tell.
    if (connected && !isReply(error)) return;
    throw refusal(error, socket);
  } finally {
    bus.connection.end();
  }
}

type Bus = Awaited<ReturnType<typeof import('dbus-native').createClient>>;
type Call = Parameters<Bus['invoke']>[0];

/** One call; a connection that breaks before the answer is an error too, not a wait. */
function call(bus: Bus, message: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    bus.connection.on('error', reject);
    bus.connection.on('end', () => {
      reject(new Error('the bus closed the connection'));
    });
    bus.invoke(message).then(resolve, reject);
  });
}

/** dbus-native gives its own time-out and broken connection the name of a D-Bus error as well. */
function isReply(error: unknown): boolean {
  const { dbusName, code } = error as { dbusName?: string; code?: string };
  return dbusName !== undefined && code !== 'ETIMEDOUT' && code !== 'ECONNCLOSED';
}

function refusal(error: unknown, socket: string): RebootError {
  const name = (error as { dbusName?: string }).dbusName;
  const text = error instanceof Error ? error.message : String(error);
  if (!isReply(error))
    return new RebootError(
      'Unreachable',
      `cannot reach logind at ${socket}: ${text}; is the system bus mounted into the pod?`,
      error,
    );
  return new RebootError(
    'Refused',
    `logind refused to reboot (${name}: ${text}); see "systemd-inhibit --list" on the node`,
    error,
  );
}
