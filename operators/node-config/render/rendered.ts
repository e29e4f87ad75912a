import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigReason } from '#api/reasons.ts';
import type { RenderedConfigSpec } from '#api/rendered-config.ts';
import type { Template } from './values.ts';

/** What `renderSet` answers, and what stands in it. */

/** A key of a Secret or ConfigMap. */
export interface KeyRef {
  namespace: string;
  name: string;
  key: string;
}

/** The bytes of a key, or undefined where the object or the key does not exist. */
export type Lookup = (ref: KeyRef) => Uint8Array | undefined;

/** Two or more NodeConfigs that want different things. */
export interface Conflict {
  /** Such as "file /etc/motd". */
  what: string;
  /** Their names, sorted. */
  owners: readonly string[];
}

/** Why one NodeConfig cannot be rendered, whatever others say. */
export interface Problem {
  config: string;
  reason: Extract<ConfigReason, 'ConfigInvalid' | 'SecretMissing' | 'TooLarge'>;
  /** Where in its spec, such as `files[/etc/motd].contents`. */
  place: string;
  message: string;
}

/** The place in the document's files at which something is filled in. */
export type Gap = { file: number } & ({ template: Template } | { secret: KeyRef });

export interface RenderedDocument {
  ok: true;
  /** Of the RenderedConfig: `rendered-` and the first 40 hex digits of the SHA-256 of `json`. */
  name: string;
  document: ConfigDocument;
  /** The document as canonical JSON. */
  json: string;
  /** The NodeConfigs that it was made of, by name. */
  sources: RenderedConfigSpec['sources'];
  /** What `fill` fills in. */
  gaps: readonly Gap[];
}

export interface NotRendered {
  ok: false;
  reason: Extract<ConfigReason, 'Conflicted' | 'ConfigInvalid' | 'SecretMissing' | 'TooLarge'>;
  /** All that is wrong, in one sentence or several. */
  message: string;
  conflicts: readonly Conflict[];
  problems: readonly Problem[];
}

export type Rendered = RenderedDocument | NotRendered;
