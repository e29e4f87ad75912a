import { z } from 'zod';
import { architecture, builds, webURL } from './build.ts';
import { duration, listMap, osVersion, rule, set } from './fields.ts';

export const payload = z.object({
  manifest: webURL.describe(
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

const releaseFields = z.object({
  version: osVersion.describe(
    'Version of the operating system in the payload, equal to VERSION_ID of its os-release.',
  ),
  payload: payload.optional().describe('Where nodes with the careen agent fetch the release from.'),
  builds: builds.optional().describe('What machines with update_engine fetch, for each architecture.'),
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
});

const withReason = rule(releaseFields, {
  cel: '!has(self.floorReason) || self.floor',
  message: 'floorReason needs floor: true; set it or remove the reason',
  test: ({ floor, floorReason }) => floorReason === undefined || floor,
});

/** A version, where its files are, and whether it may be stepped over. */
export const release = rule(withReason, {
  cel: 'has(self.payload) || has(self.builds)',
  message: 'a release needs a payload (for the careen agent), builds (for update_engine), or both',
  test: ({ payload, builds }) => payload !== undefined || builds !== undefined,
});
export type Release = z.infer<typeof release>;

const omaha = z.object({
  url: webURL.describe('Omaha endpoint, such as https://public.update.flatcar-linux.net/v1/update/.'),
  appID: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\s<>&"']+$/)
    .describe('Application: a UUID in braces or a product id.'),
  track: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\s<>&"']+$/)
    .describe('Channel or group of the upstream server.'),
  architectures: set(architecture, 2)
    .min(1)
    .default(['amd64'])
    .describe('Each is asked for by itself; a release is offered to the architectures that have it.'),
  pollInterval: duration
    .default('45m')
    .describe('How often the server is asked, five minutes more or less; it may ask for longer intervals.'),
});
export type OmahaSource = z.infer<typeof omaha>;

/** Exactly one source. Further kinds of source join this object as further optional fields. */
export const source = rule(
  z.object({
    releases: listMap(release, ['version'], 64).optional().describe('Releases declared here, in any order.'),
    omaha: omaha
      .optional()
      .describe('An upstream Omaha server, asked as update_engine asks; its releases appear in status.'),
  }),
  {
    cel: 'has(self.releases) != has(self.omaha)',
    message: 'give exactly one source: releases or omaha',
    test: ({ releases, omaha }) => (releases === undefined) !== (omaha === undefined),
  },
);
