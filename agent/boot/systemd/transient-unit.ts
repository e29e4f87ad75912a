import type { Property } from './manager.ts';

export interface TransientUnit {
  description: string;
  /** Program and arguments, as they are: no variables, no specifiers, no shell. */
  argv: readonly string[];
  /** Then systemd kills it, whatever became of the agent. */
  limitMs: number;
  /** Path on the host of a socket that takes the output; without one it is thrown away. */
  output: string | undefined;
}

const SIGKILL = 9;
const STOP_MS = 2000;

/**
 * Properties of a unit that runs one program once and is gone afterwards, failed or not
 * (systemd.service(5), systemd.exec(5), systemd.unit(5)).
 */
export function transientUnit({ description, argv, limitMs, output }: TransientUnit): Property[] {
  const stream =
    output === undefined
      ? property('StandardOutput', 's', 'null')
      : property('StandardOutputFile', 's', output);
  return [
    property('Description', 's', description),
    property('Type', 's', 'oneshot'),
    property('ExecStartEx', 'a(sasas)', [[argv[0], argv, ['no-env-expand']]]),
    property('CollectMode', 's', 'inactive-or-failed'),
    property('TimeoutStartUSec', 't', microseconds(limitMs)),
    property('TimeoutStopUSec', 't', microseconds(STOP_MS)),
    property('KillSignal', 'i', SIGKILL),
    stream,
    property('StandardError', 's', 'inherit'),
  ];
}

function property(name: string, signature: string, value: unknown): Property {
  return [name, [signature, value]];
}

function microseconds(ms: number): bigint {
  return BigInt(Math.ceil(ms)) * 1000n;
}
