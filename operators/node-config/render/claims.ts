import type { ConfigProbe, DisruptionRule } from '#api/config-fields.ts';
import type { DocumentDirectory, DocumentFile, DocumentLink } from '#api/config-document.ts';
import type { NodeConfigSpec } from '#api/node-config.ts';
import type { Claim } from './claim.ts';

/** What NodeConfigs come to before they are merged: claims, by what they are about. */

type Bare<T> = Omit<T, 'path' | 'from' | 'critical'>;

export type PathValue =
  | ({ kind: 'file' } & Bare<DocumentFile>)
  | ({ kind: 'directory' } & Bare<DocumentDirectory>)
  | ({ kind: 'link' } & Bare<DocumentLink>)
  /** A file that careen makes of a whole section; nobody else can have its path. */
  | { kind: 'generated'; section: 'sysctls' | 'kernelModules' }
  /** A name that `systemctl enable` gives a unit, from Alias= of its [Install]. */
  | { kind: 'alias'; of: string }
  /** A user's authorized_keys, of which careen owns lines. */
  | { kind: 'keys'; user: string };

export type UnitState = 'Started' | 'Stopped';

export interface KeyClaim extends Claim<string> {
  user: string;
  /** The line as it was given, with its comment. */
  line: string;
  drift: NodeConfigSpec['drift'];
}

export interface Claims {
  /** By absolute path. */
  paths: Claim<PathValue>[];
  /** By unit; each unit that a config lists. */
  units: (Claim<true> & { drift: NodeConfigSpec['drift'] })[];
  masked: Claim<boolean>[];
  enabled: Claim<boolean>[];
  states: Claim<UnitState>[];
  /** By name with slashes. */
  sysctls: (Claim<string> & { drift: NodeConfigSpec['drift'] })[];
  /** By name with underscores. */
  modules: (Claim<true> & { drift: NodeConfigSpec['drift'] })[];
  /** By the whole argument. */
  arguments: Claim<'add' | 'remove'>[];
  /** By the name before "=": all arguments of that name that a config adds, in its order. */
  argumentLists: Claim<string[]>[];
  /** By user and key. */
  keys: KeyClaim[];
  /** By path. */
  validate: Claim<string[]>[];
  /** By name. */
  probes: Claim<ConfigProbe>[];
}

/** What one NodeConfig says, besides its claims. */
export interface Lowered {
  owner: string;
  priority: number;
  claims: Claims;
  rules: DisruptionRule[];
  confirm: NodeConfigSpec['confirm'];
}

/** A NodeConfig on its way to claims; `ignition` has joined its own sections. */
export interface Owned {
  owner: string;
  priority: number;
  critical: boolean;
  spec: NodeConfigSpec;
}

export function claim<V>({ owner, priority, critical }: Owned, key: string, value: V): Claim<V> {
  return { key, value, owner, priority, critical };
}
