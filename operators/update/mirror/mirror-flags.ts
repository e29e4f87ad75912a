import { z } from 'zod';
import type { Flags } from '#runtime/flags/flags.ts';
import { addressFlag, switchFlag } from '#runtime/flags/types.ts';

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
    help: 'Where payloads grow, and are kept unless in a bucket; incoming/ is for files put there by hand.',
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
  s3Bucket: {
    schema: z.string().min(1).optional(),
    value: 'NAME',
    help: 'Keeps payloads in this bucket; every replica serves them.',
  },
  s3Endpoint: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    value: 'URL',
    help: 'The server that has the bucket, if it is not Amazon S3.',
  },
  s3Region: { schema: z.string().min(1), value: 'NAME', default: 'us-east-1', help: 'Where the bucket is.' },
  s3Prefix: {
    schema: z.string().regex(/^([A-Za-z0-9][A-Za-z0-9._-]*\/)*$/, 'write a path that ends with a slash'),
    value: 'PATH',
    default: 'careen/',
    help: 'Keys begin with it; each mirror needs one of its own.',
  },
  s3PathStyle: {
    schema: switchFlag,
    default: 'true',
    help: 'Name the bucket in the path; --no-s3-path-style names it in the host.',
  },
  s3Credentials: {
    schema: z.string().min(1).optional(),
    value: 'PATH',
    help: 'A directory with access-key-id, secret-access-key and perhaps session-token; read again when they change.',
  },
  s3Ca: {
    schema: z.string().min(1).optional(),
    value: 'PATH',
    help: 'Certificates in PEM that are trusted besides the usual ones.',
  },
} satisfies Flags;
