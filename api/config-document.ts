import { z } from 'zod';
import { configProbe, disruptionRule, fileMode, hostPath, owner, unitName } from './config-fields.ts';
import { duration } from './fields.ts';

/**
 * A machine's configuration, lowered: all that NodeConfigs say of a node, merged, as what is to be on its disk.
 * Units' contents, sysctls, modules, keys, host name and time zone have become files and links; what is left beside
 * files is what a file cannot say. Lists are sorted by what they are named by, so that the same wishes give the
 * same bytes. `render` (operators/node-config) makes it, `agent/config` carries it out; docs/node-config.md tells.
 *
 * It exists twice: in a RenderedConfig, where values of the node are still `${…}` and secrets are references, and
 * in a node's bundle, where both are filled in.
 */

/** Raised when an older agent would misunderstand; such an agent says SchemaTooNew and keeps what it has. */
export const DOCUMENT_SCHEMA = 1;

/** Where a file's bytes come from. In a bundle: `text` or `base64` only. */
const content = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ base64: z.string() }),
  z.strictObject({
    secret: z.strictObject({ namespace: z.string(), name: z.string(), key: z.string() }),
  }),
]);
export type Content = z.infer<typeof content>;

/** The NodeConfigs that want an item so, by name; several where they say the same, or each a part of it. */
const from = z.array(z.string().max(253)).min(1);

export const documentFile = z.strictObject({
  path: hostPath,
  content,
  /** The bytes are a secret: never shown, in no diff, hash or error. */
  sensitive: z.boolean().optional(),
  mode: fileMode,
  user: owner,
  group: owner,
  onRemove: z.enum(['Restore', 'Delete', 'Keep']),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  /** May touch what the node hangs on. */
  critical: z.boolean().optional(),
  from,
});
export type DocumentFile = z.infer<typeof documentFile>;

export const documentDirectory = z.strictObject({
  path: hostPath,
  mode: fileMode,
  user: owner,
  group: owner,
  onRemove: z.enum(['Delete', 'Keep']),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  critical: z.boolean().optional(),
  from,
});
export type DocumentDirectory = z.infer<typeof documentDirectory>;

export const documentLink = z.strictObject({
  path: hostPath,
  target: z.string().min(1).max(1024),
  onRemove: z.enum(['Restore', 'Delete', 'Keep']),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  critical: z.boolean().optional(),
  from,
});
export type DocumentLink = z.infer<typeof documentLink>;

/**
 * What is wanted of a unit beside its files. Its contents and drop-ins are among `files`; where it is masked, the
 * link to /dev/null is among `links`, and `mask` says that nobody may start it.
 */
export const documentUnit = z.strictObject({
  name: unitName,
  enabled: z.boolean().optional(),
  state: z.enum(['Started', 'Stopped']).optional(),
  mask: z.boolean(),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  critical: z.boolean().optional(),
  from,
});
export type DocumentUnit = z.infer<typeof documentUnit>;

/** A line that careen owns in a file which others write too: authorized_keys. The rest of the file is theirs. */
export const documentKeys = z.strictObject({
  user: owner,
  keys: z.array(z.string()),
  drift: z.enum(['Heal', 'Report', 'Ignore']),
  from,
});
export type DocumentKeys = z.infer<typeof documentKeys>;

export const configDocument = z.strictObject({
  schema: z.literal(DOCUMENT_SCHEMA),
  directories: z.array(documentDirectory),
  files: z.array(documentFile),
  links: z.array(documentLink),
  units: z.array(documentUnit),
  authorizedKeys: z.array(documentKeys),
  /** Host name in use; its file is among `files`. */
  hostname: z.string().max(253).optional(),
  kernelArguments: z.strictObject({ add: z.array(z.string()), remove: z.array(z.string()) }),
  /** The first rule that matches a change decides; careen's defaults come last and are in here. */
  disruption: z.array(disruptionRule),
  validate: z.array(z.strictObject({ path: hostPath, argv: z.array(z.string()).min(1) })),
  probes: z.array(configProbe),
  /** Of several NodeConfigs the longest timeout and settle. */
  confirm: z.strictObject({ timeout: duration, settle: duration }),
});
export type ConfigDocument = z.infer<typeof configDocument>;

/**
 * What a node is given: the value of key `bundle` (JSON, gzip, at most 1 MiB) of the Secret `careen-nodes/<node>`.
 * Only the node's own account may read it.
 */
export const configBundle = z.strictObject({
  /** `bundleHash` of `document` and `salt` (api/config-hash.ts): equals NodeState.spec.config.hash. */
  hash: z.string().length(64),
  /** Random, of this node: who sees hashes of two nodes cannot tell whether their secrets are equal. */
  salt: z.string().length(32),
  generation: z.int().min(1),
  /** The Node that it is for; an agent of another Node refuses it. */
  node: z.strictObject({ name: z.string(), uid: z.string() }),
  document: configDocument,
});
export type ConfigBundle = z.infer<typeof configBundle>;

/** Where bundles lie, and the accounts that read them, one of each for a node. */
export const BUNDLE_NAMESPACE = 'careen-nodes';
export const BUNDLE_KEY = 'bundle';
export const BUNDLE_TYPE = 'careen.dev/node-config';
/** Of the uncompressed and of the compressed JSON, in bytes. */
export const BUNDLE_LIMITS = { plain: 8 * 1024 * 1024, packed: 1024 * 1024 } as const;
