import { z } from 'zod';
import { list, listMap } from './fields.ts';

/** A web address. */
export const webURL = z
  .string()
  .min(8)
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/);

/** Kinds of machines that packages are built for, as Kubernetes names them. */
export const architecture = z.enum(['amd64', 'arm64']);
export type Architecture = z.infer<typeof architecture>;

/** 64 GiB: more than any image has. */
const MAX_BYTES = 2 ** 36;

/** base64 of a SHA-1: 20 bytes. */
const sha1 = z
  .string()
  .length(28)
  .regex(/^[A-Za-z0-9+/]{27}=$/);

/** base64 of a SHA-256: 32 bytes. */
const sha256 = z
  .string()
  .length(44)
  .regex(/^[A-Za-z0-9+/]{43}=$/);

const omahaPackage = z.object({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._+-]*$/)
    .describe('File name, appended to the codebase.'),
  size: z.int().min(1).max(MAX_BYTES).describe('Bytes.'),
  sha1: sha1.optional().describe('SHA-1 in base64, as Omaha has it; checked if given.'),
  sha256: sha256.describe('SHA-256 in base64.'),
  required: z.boolean().default(true).describe('Whether the machine cannot do without it.'),
});
/** A file that update_engine (the first one) or the script after it (the others) fetches. */
export type OmahaPackage = z.infer<typeof omahaPackage>;

/** A release as update_engine installs it on one architecture. */
export const build = z.object({
  architecture: architecture.describe('What machines it is for.'),
  codebases: list(webURL, 8)
    .min(1)
    .describe('URLs of directories that hold the packages, tried in this order.'),
  packages: listMap(omahaPackage, ['name'], 16)
    .min(1)
    .describe('Files of the build. The first is the payload that update_engine installs.'),
});
export type Build = z.infer<typeof build>;

/** At most one build of each architecture. */
export const builds = listMap(build, ['architecture'], 2);
