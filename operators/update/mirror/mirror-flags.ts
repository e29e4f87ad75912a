import { z } from 'zod';
import type { Flags } from '#runtime/flags/flags.ts';
import { addressFlag } from '#runtime/flags/types.ts';

const UNITS: Record<string, number> = { Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** Bytes as Kubernetes writes them: `500Mi`, `20Gi`. */
const bytesFlag = z
  .string()
  .regex(/^[1-9]\d{0,6}(Mi|Gi|Ti)$/, 'write a size such as 20Gi')
  .transform((text) => parseInt(text, 10) * (UNITS[text.slice(-2)] ?? 1));

/** Flags of careen-mirror. */
export const mirrorFlags = {
  directory: {
    schema: z.string().min(1),
    value: 'PATH',
    help: 'Where payloads are kept and grow; incoming/ in it is for files put there by hand.',
  },
  sizeLimit: { schema: bytesFlag, value: 'SIZE', default: '20Gi', help: 'Payloads beyond it are not kept.' },
  payloadAddress: {
    schema: addressFlag,
    value: 'ADDRESS',
    default: ':8081',
    help: 'Serves payloads; port 0: any free one.',
  },
  baseUrl: {
    schema: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
    value: 'URL',
    help: 'Where machines reach the payload address; nodes are given this.',
  },
} satisfies Flags;
