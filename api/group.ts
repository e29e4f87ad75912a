/** The API group that every careen resource, label and annotation lives under. */
export const GROUP = 'careen.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Plural resource names by kind, as they stand in URLs and in RBAC rules. */
export const PLURALS = {
  UpdateChannel: 'updatechannels',
  NodeGroup: 'nodegroups',
  RebootLock: 'rebootlocks',
  RebootWindow: 'rebootwindows',
  NodeConfig: 'nodeconfigs',
  RenderedConfig: 'renderedconfigs',
  NodeState: 'nodestates',
} as const;

export type Kind = keyof typeof PLURALS;

/** The URL path of a careen collection, or of one object in it. */
export function resourcePath(kind: Kind, name?: string): string {
  const collection = `/apis/${API_VERSION}/${PLURALS[kind]}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** On a Node: `<lock operator's identity>@<RFC 3339 instant>`; present exactly while the cordon is ours. */
export const CORDON_ANNOTATION = `${GROUP}/cordoned-by`;
/** On a Node, set by a person: it stays cordoned when our turn ends; only our mark is removed. */
export const KEEP_CORDONED_ANNOTATION = `${GROUP}/keep-cordoned`;
/** On a RebootLock that a NodeGroup's `maxUnavailable` made: the group's name. */
export const GROUP_LABEL = `${GROUP}/group`;
