import type { DocumentFile } from '#api/config-document.ts';
import { HOSTNAME_FILE } from './generated-paths.ts';
import { hasValues } from './values.ts';

const LABEL = /^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$/;

/** What Linux takes for a host name: at most 64 characters, labels of RFC 1123. */
export function isHostname(name: string): boolean {
  return name.length <= 64 && name.split('.').every((label) => label.length <= 63 && LABEL.test(label));
}

/** One with values in it is judged when they are filled in. */
export function checkHostname(name: string): { place: string; message: string }[] {
  if (hasValues(name) || isHostname(name)) return [];
  return [{ place: 'hostname', message: hostnameProblem(name) }];
}

export function hostnameProblem(name: string): string {
  return `"${name.slice(0, 80)}" is no host name; use at most 64 letters, digits, "-" and "."`;
}

/** The name in use is the file's first line that is no comment (hostname(5)). */
export function hostnameIn(files: readonly DocumentFile[]): string | undefined {
  const content = files.find(({ path }) => path === HOSTNAME_FILE)?.content;
  if (content === undefined || !('text' in content)) return undefined;
  const lines = content.text.split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '' && !line.startsWith('#'));
}
