import { z } from 'zod';
import { architecture, builds, webURL } from './build.ts';
import { source } from './channel-source.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { instant, listMap, osVersion, rule, set } from './fields.ts';

/** A minisign public key: base64 of "Ed", an 8-byte key id and a 32-byte Ed25519 key. */
export const publicKey = z
  .string()
  .length(56)
  .regex(/^RW[A-Za-z0-9+/]{54}$/);

/** A minisign key, or an RSA key as `openssl rsa -pubout` writes it. */
const trustedKey = z
  .string()
  .min(56)
  .max(2048)
  .regex(
    /^(RW[A-Za-z0-9+/]{54}|-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]+\n)+-----END PUBLIC KEY-----\n?)$/,
  );

const mirror = z.object({
  keep: z
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('How many of the newest releases are kept, besides floors and what groups are pinned to.'),
});

const specFields = z.object({
  source: source.describe('Where versions come from.'),
  keys: set(trustedKey, 8)
    .min(1)
    .describe(
      'Keys that are trusted. minisign public keys for payload manifests, of which one must have signed a manifest ' +
        'before a byte of it is trusted; public keys in PEM (RSA) for payloads of update_engine.',
    ),
  blocked: set(osVersion, 64)
    .default([])
    .describe(
      'Versions that no node is moved to. Nodes that run one already are moved to the newest other release.',
    ),
  mirror: mirror
    .optional()
    .describe(
      'Keep payloads in the mirror of the cluster; a release is offered once it is there and verified.',
    ),
});

export const updateChannelSpec = rule(specFields, {
  cel: '!has(self.source.omaha) || has(self.mirror)',
  message: 'what an upstream offers is verified in the mirror before it is offered here; add mirror: {}',
  test: ({ source, mirror }) => source.omaha === undefined || mirror !== undefined,
});

const knownRelease = z.object({
  version: osVersion.describe('Version of the release.'),
  floor: z.boolean().describe('Whether it must be passed through.'),
  floorReason: z.string().max(256).optional().describe('Why.'),
  blocked: z.boolean().describe('Whether no node is moved to it.'),
  builds: builds.optional().describe('What the upstream server told of it.'),
  since: instant.optional().describe('When the upstream server first told of it.'),
});
export type KnownRelease = z.infer<typeof knownRelease>;

/** What can go wrong with an upstream server. */
export const upstreamErrorCodes = [
  'Unreachable',
  'HttpError',
  'TooLarge',
  'Malformed',
  'Refused',
  'Unusable',
] as const;
export type UpstreamErrorCode = (typeof upstreamErrorCodes)[number];

const upstream = z.object({
  architecture: architecture.describe('What was asked for.'),
  source: z.string().max(64).describe('Digest of where it was asked for: another source begins anew.'),
  lastCheck: instant.describe('When the server was last asked.'),
  lastSuccess: instant.optional().describe('When it last gave an answer that could be used.'),
  nextCheck: instant.describe('Not before then is it asked again.'),
  failures: z.int().min(0).describe('Checks without a usable answer since the last success.'),
  error: z
    .object({
      code: z.enum(upstreamErrorCodes).describe('What went wrong, for machines.'),
      message: z.string().max(1024).describe('What went wrong and what to do, for people.'),
    })
    .optional()
    .describe('Why the last check was in vain.'),
});
export type UpstreamState = z.infer<typeof upstream>;

/** What the mirror holds a release for: the careen agent, or update_engine on one architecture. */
export const mirrorVariants = ['careen', ...architecture.options] as const;

const mirrored = z.object({
  version: osVersion.describe('Version of the release.'),
  variant: z.enum(mirrorVariants).describe('For the careen agent, or update_engine of this architecture.'),
  state: z
    .enum(['Fetching', 'Held', 'Released', 'Failed'])
    .describe('Held: verified and served. Released: was verified, is not kept any more.'),
  digest: z
    .string()
    .max(64)
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('SHA-256 in hex of what was verified: the manifest, or the first package.'),
  key: z.string().max(64).optional().describe('SHA-256 in hex of the trusted key that it was verified with.'),
  url: webURL.optional().describe('Where the mirror serves it, with a slash at the end.'),
  bytes: z.int().min(0).optional().describe('What it takes.'),
  message: z.string().max(1024).optional().describe('Why it failed and what to do.'),
  since: instant.describe('Since when the state is so.'),
});
export type Mirrored = z.infer<typeof mirrored>;

export const updateChannelStatus = z.object({
  observedGeneration,
  current: osVersion
    .optional()
    .describe('The newest release that is not blocked: what unpinned groups go to.'),
  releases: listMap(knownRelease, ['version'], 64).optional().describe('Known releases, newest first.'),
  lastSync: instant.optional().describe('When the source was last read with success.'),
  upstream: listMap(upstream, ['architecture'], 2)
    .optional()
    .describe('How the upstream server fares, for each architecture.'),
  mirror: listMap(mirrored, ['version', 'variant'], 192)
    .optional()
    .describe('What the mirror holds; written by the mirror.'),
  conditions,
});

export type UpdateChannelSpec = z.infer<typeof updateChannelSpec>;
export type UpdateChannelStatus = z.infer<typeof updateChannelStatus>;
