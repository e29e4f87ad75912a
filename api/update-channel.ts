import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import { instant, listMap, osVersion, rule, set } from './fields.ts';

const url = z
  .string()
  .min(8)
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/);

export const payload = z.object({
  manifest: url.describe(
    'URL of the payload manifest (JSON). Its minisign signature is fetched from the same URL with ".minisig" appended.',
  ),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .max(64)
    .optional()
    .describe(
      'SHA-256 of the manifest file, in hex; when given, no other manifest is accepted, signed or not.',
    ),
});
export type Payload = z.infer<typeof payload>;

const release = rule(
  z.object({
    version: osVersion.describe(
      'Version of the operating system in the payload, equal to VERSION_ID of its os-release.',
    ),
    payload: payload.describe('Where nodes fetch the release from.'),
    floor: z
      .boolean()
      .default(false)
      .describe('A floor must be passed through: no node goes from below it to above it in one step.'),
    floorReason: z
      .string()
      .max(256)
      .optional()
      .describe('Why the floor exists; shown with every node that it holds.'),
    notes: z.string().max(4096).optional().describe('What is new, for people.'),
  }),
  {
    cel: '!has(self.floorReason) || self.floor',
    message: 'floorReason needs floor: true; set it or remove the reason',
    test: ({ floor, floorReason }) => floorReason === undefined || floor,
  },
);
export type Release = z.infer<typeof release>;

/** Exactly one source. Further kinds of source join this object as further optional fields. */
const source = rule(
  z.object({
    releases: listMap(release, ['version'], 64).optional().describe('Releases declared here, in any order.'),
  }),
  {
    cel: 'has(self.releases)',
    message: 'give exactly one source; releases is the one that this version of careen knows',
    test: ({ releases }) => releases !== undefined,
  },
);

/** A minisign public key: base64 of "Ed", an 8-byte key id and a 32-byte Ed25519 key. */
export const publicKey = z
  .string()
  .length(56)
  .regex(/^RW[A-Za-z0-9+/]{54}$/);

export const updateChannelSpec = z.object({
  source: source.describe('Where versions come from.'),
  keys: set(publicKey, 8)
    .min(1)
    .describe(
      'minisign public keys; a manifest must be signed by one of them before a byte of it is trusted.',
    ),
  blocked: set(osVersion, 64)
    .default([])
    .describe(
      'Versions that no node is moved to. Nodes that run one already are moved to the newest other release.',
    ),
});

export const updateChannelStatus = z.object({
  observedGeneration,
  current: osVersion
    .optional()
    .describe('The newest release that is not blocked: what unpinned groups go to.'),
  releases: listMap(
    z.object({
      version: osVersion.describe('Version of the release.'),
      floor: z.boolean().describe('Whether it must be passed through.'),
      blocked: z.boolean().describe('Whether no node is moved to it.'),
    }),
    ['version'],
    64,
  )
    .optional()
    .describe('Known releases, newest first.'),
  lastSync: instant.optional().describe('When the source was last read with success.'),
  conditions,
});

export type UpdateChannelSpec = z.infer<typeof updateChannelSpec>;
export type UpdateChannelStatus = z.infer<typeof updateChannelStatus>;
