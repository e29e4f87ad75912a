import type { Node } from '#api/meta.ts';

/**
 * Values of a node in text: `${node.name}`, `${node.label["x"]}`, `${node.annotation["x"]}` and
 * `${node.address.internal|external|hostname}`. The set is closed, so that a config says the same today and in a
 * year. Only what begins with `${node.` is ours: shells, units and Makefiles keep their own dollars. `$${node.`
 * stands for `${node.` itself.
 */

export type Value =
  | { kind: 'name' }
  | { kind: 'label' | 'annotation'; key: string }
  | { kind: 'address'; type: 'InternalIP' | 'ExternalIP' | 'Hostname' };

/** Text, cut where values stand. */
export type Template = readonly (string | Value)[];

export interface ParsedText {
  template: Template;
  /** What looks like a value and is none, as it stands in the text. */
  unknown: readonly string[];
}

const FOUND = /\$\$\{node\.|\$\{node\.[^}\n$]{0,400}\}?/g;
const KEY = /^(label|annotation)\["([-./_A-Za-z0-9]{1,316})"\]$/;
const ADDRESSES = { internal: 'InternalIP', external: 'ExternalIP', hostname: 'Hostname' } as const;

export function parseText(text: string): ParsedText {
  const template: (string | Value)[] = [];
  const unknown: string[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(FOUND)) {
    template.push(text.slice(end, index));
    end = index + found.length;
    const value = valueOf(found);
    if (value === undefined) unknown.push(found);
    else template.push(value);
  }
  template.push(text.slice(end));
  return { template: template.filter((part) => part !== ''), unknown };
}

/** Undefined: no value of the set. */
function valueOf(found: string): string | Value | undefined {
  if (found.startsWith('$$')) return found.slice(1);
  if (!found.endsWith('}')) return undefined;
  const inner = found.slice('${node.'.length, -1);
  if (inner === 'name') return { kind: 'name' };
  const [, kind, key] = KEY.exec(inner) ?? [];
  if (key !== undefined) return { kind: kind as 'label' | 'annotation', key };
  const [, address = ''] = /^address\.([a-z]+)$/.exec(inner) ?? [];
  return isAddress(address) ? { kind: 'address', type: ADDRESSES[address] } : undefined;
}

function isAddress(name: string): name is keyof typeof ADDRESSES {
  return Object.hasOwn(ADDRESSES, name);
}

/** Whether text holds anything that is filled in or unescaped. */
export function hasValues(text: string): boolean {
  return text.includes('${node.');
}

/** Text that comes out of `parseText` and `fillText` as it went in. */
export function literal(text: string): string {
  return text.replaceAll('${node.', (found) => `$${found}`);
}

export type FilledText = { text: string } | { missing: string };

/** The text for one node, or the value that the node does not have. */
export function fillText(template: Template, node: Node): FilledText {
  let text = '';
  for (const part of template) {
    const piece = typeof part === 'string' ? part : valueIn(part, node);
    if (piece === undefined) return { missing: nameOf(part as Value) };
    text += piece;
  }
  return { text };
}

function valueIn(value: Value, { metadata, status }: Node): string | undefined {
  switch (value.kind) {
    case 'name':
      return metadata.name;
    case 'label':
      return own(metadata.labels, value.key);
    case 'annotation':
      return own(metadata.annotations, value.key);
    case 'address':
      // With two families a node has two; the first is the one that the cluster calls it by.
      return status?.addresses?.find(({ type }) => type === value.type)?.address;
  }
}

function own(map: Record<string, string> | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** As it is written in a config. */
export function nameOf(value: Value): string {
  switch (value.kind) {
    case 'name':
      return '${node.name}';
    case 'address': {
      const [short] = Object.entries(ADDRESSES).find(([, type]) => type === value.type) ?? [];
      return `\${node.address.${short}}`;
    }
    case 'label':
    case 'annotation':
      return `\${node.${value.kind}["${value.key}"]}`;
  }
}
