/**
 * The table of docs/node-config-faults.md: what each fault is stands there and is a person's to write; the tests that
 * try it are those that have its number in their name, as `(A7)` or `(A18, A26)`.
 */
import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export const FAULTS = 'docs/node-config-faults.md';

/** A test's name, in quotes of any kind, as it stands in the source. */
const TEST = /\btest\(\s*(['`"])((?:\\.|(?!\1)[^\\])*)\1/g;
const NUMBERS = /\s*\((A\d+(?:, A\d+)*)\)/g;
const ROW = /^\| (A\d+)\s*\| (.*?)\s*\| .*\|$/;

/** The file as it should be; undefined where there is none. */
export async function faultTable(root: string): Promise<string | undefined> {
  const text = await readFile(join(root, FAULTS), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : filled(text, await testsByFault(root));
}

function filled(text: string, tests: ReadonlyMap<string, readonly string[]>): string {
  const lines = text.split('\n').map((line) => {
    const [, number = '', fault] = ROW.exec(line) ?? [];
    if (fault === undefined) return line;
    return `| ${number} | ${fault} | ${tests.get(number)?.join('<br>') ?? 'no test yet'} |`;
  });
  return lines.join('\n');
}

/** What others wrote, or was built. */
function isForeign(path: string): boolean {
  return /(^|\/)(node_modules|dist|\.[^/]+)$/.test(path);
}

async function testsByFault(root: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const paths = await Array.fromAsync(glob('**/*.test.ts', { cwd: root, exclude: isForeign }));
  for (const path of paths.toSorted()) {
    for (const [, , name = ''] of (await readFile(join(root, path), 'utf8')).matchAll(TEST)) {
      const numbers = [...name.matchAll(NUMBERS)].flatMap(([, list = '']) => list.split(', '));
      const said = `${shown(name)} ([${basename(path)}](../${path}))`;
      for (const number of numbers) found.set(number, [...(found.get(number) ?? []), said]);
    }
  }
  return found;
}

/** As a reader sees it: without its numbers, what is filled in left open, and nothing that would end a cell. */
function shown(name: string): string {
  const plain = name.replaceAll(NUMBERS, '');
  return plain
    .replaceAll(/\$\{[^}]*\}/g, '…')
    .replaceAll(String.raw`\u2019`, '’')
    .replaceAll('|', String.raw`\|`);
}
