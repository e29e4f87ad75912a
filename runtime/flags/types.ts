import { durationMs } from '#api/fields.ts';
import { z } from 'zod';
import { parseAddress } from '../health/server.ts';

/** A span of time as `90s` or `1h30m`; the value is in milliseconds. */
export const durationFlag = z.string().transform(guarded(durationMs));

/** `:8080`, `127.0.0.1:0`; the value is the text as written. */
export const addressFlag = z.string().transform(guarded((text) => (parseAddress(text), text)));

export const logLevelFlag = z.enum(['error', 'warn', 'info', 'debug']);

/** A whole number, not below 0. */
export const countFlag = z
  .string()
  .regex(/^[0-9]+$/, 'write a whole number')
  .transform(Number);

/** Names with commas between; none: an empty list. */
export const namesFlag = z
  .string()
  .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?(,|$))*$/, 'write names with commas between')
  .transform((text) => text.split(',').filter((name) => name !== ''));

/** A switch. */
export const switchFlag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A command with its arguments as a JSON array of strings: `["reboot"]`. */
export const argvFlag = z.string().transform(guarded(parseArgv)).pipe(z.array(z.string()).min(1));

function parseArgv(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError('write a JSON array of strings, such as ["reboot"]');
  }
}

/** A parser that throws, as a zod transform that reports instead. */
function guarded<T>(parse: (text: string) => T): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  };
}
