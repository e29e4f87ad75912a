import winston from 'winston';
import { serializeError } from './serialize-error.ts';

/**
 * A logger: `log.info(message, fields)`, and `log.child({ node })` to add fields to every line.
 * Errors go into a field (`{ error }`), never into the message.
 */
export type Log = winston.Logger;

export interface LogOptions {
  /** `error`, `warn`, `info` or `debug`. */
  level?: string | undefined;
  /** Of the program; the field `logger` of every line. */
  name: string;
  /** Where the lines go; standard error by default. */
  stream?: NodeJS.WritableStream | undefined;
}

/** winston drops what an Error carries (its properties are not enumerable); this keeps it, causes too. */
const errors = winston.format((info) => {
  for (const [key, value] of Object.entries(info)) {
    if (value instanceof Error) info[key] = serializeError(value);
  }
  return info;
});

/** When the line was written, RFC 3339. (winston's own `timestamp` cannot be renamed, only doubled.) */
const time = winston.format((info) => Object.assign(info, { time: new Date().toISOString() }));

/** One JSON object a line: time, level, logger, message, then the fields. */
export function createLogger({ level = 'info', name, stream = process.stderr }: LogOptions): Log {
  return winston.createLogger({
    level,
    defaultMeta: { logger: name },
    format: winston.format.combine(time(), errors(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream })],
  });
}
