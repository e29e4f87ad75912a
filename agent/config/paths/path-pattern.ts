import { namesOf } from './host-path.ts';

/**
 * How a path stands to a pattern, which is a path in whose components `*` stands for any characters: `within` is what
 * the pattern names or lies below it, `above` is a directory on the way to it (as far as the pattern has no `*`).
 */
export function standsTo(path: string, pattern: string): 'within' | 'above' | undefined {
  const names = namesOf(path);
  const wanted = namesOf(pattern);
  const shared = Math.min(names.length, wanted.length);
  for (let index = 0; index < shared; index++) {
    if (!nameMatches(names[index] ?? '', wanted[index] ?? '')) return undefined;
  }
  if (names.length >= wanted.length) return 'within';
  return wanted.slice(0, shared).some((name) => name.includes('*')) ? undefined : 'above';
}

/** Whether a single name matches a pattern with `*`. Without a regular expression: no input makes it slow. */
export function nameMatches(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  const last = rest.pop() ?? '';
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  let from = first.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= name.length - last.length;
}
