import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { ConfigDocument, Content } from '#api/config-document.ts';

/** One thing that differs between two documents. */
export interface Difference {
  /** Such as `file /etc/motd`. */
  what: string;
  /** Unified diff, with a line at its end. */
  diff: string;
}

/** What differs between what a node has and what it would have, item by item, in a stable order. */
export function compareDocuments(
  before: ConfigDocument | undefined,
  after: ConfigDocument | undefined,
): Difference[] {
  const [old, fresh] = [itemsOf(before), itemsOf(after)];
  const names = [...new Set([...old.keys(), ...fresh.keys()])].toSorted();
  return names.flatMap((what) => {
    const [left = '', right = ''] = [old.get(what), fresh.get(what)];
    return left === right ? [] : [{ what, diff: patch(what, left, right) }];
  });
}

function patch(what: string, before: string, after: string): string {
  const [, , ...lines] = createTwoFilesPatch(what, what, before, after, '', '').split('\n');
  return lines.filter((line) => !line.startsWith('\\')).join('\n');
}

/** Each item as text in which a line is a fact. */
function itemsOf(document: ConfigDocument | undefined): Map<string, string> {
  if (document === undefined) return new Map();
  const { files, directories, links, units, authorizedKeys, kernelArguments, confirm, probes, validate } =
    document;
  const { add, remove } = kernelArguments;
  return new Map([
    ...files.map(({ path, content, ...rest }) => [`file ${path}`, described(rest, textOf(content))] as const),
    ...directories.map(({ path, ...rest }) => [`directory ${path}`, described(rest)] as const),
    ...links.map(({ path, ...rest }) => [`link ${path}`, described(rest)] as const),
    ...units.map(({ name, ...rest }) => [`unit ${name}`, described(rest)] as const),
    ...authorizedKeys.map(({ user, ...rest }) => [`authorized keys of ${user}`, described(rest)] as const),
    ...(add.length + remove.length === 0 ? [] : [['kernel arguments', described(kernelArguments)] as const]),
    ['confirmation', described({ confirm, probes, validate })] as const,
  ]);
}

function described(facts: object, content = ''): string {
  const head = stringify(facts, { lineWidth: 0 });
  return content === '' ? head : `${head}---\n${content.endsWith('\n') ? content : `${content}\n`}`;
}

function textOf(content: Content): string {
  if ('text' in content) return content.text;
  if ('base64' in content) return `(bytes in base64) ${content.base64}`;
  const { namespace, name, key } = content.secret;
  return `(key ${key} of Secret ${namespace}/${name})`;
}
