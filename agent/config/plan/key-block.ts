const BEGIN = '# Careen: what stands between here and the end mark is replaced';
const END = '# Careen: end';

/**
 * An authorized_keys with `keys` as Careen's part of it, and every other line as it was. Without keys there is no
 * such part. One that is as it should be stays where it is, also where others have added lines after it.
 */
export function withKeys(text: string, keys: readonly string[]): string {
  const others = othersOf(text);
  if (keys.length === 0) return others;
  const part = `${[BEGIN, ...keys, END].join('\n')}\n`;
  if (text.length === others.length + part.length && text.includes(part)) return text;
  const separated = others === '' || others.endsWith('\n') ? others : `${others}\n`;
  return `${separated}${part}`;
}

/** A part without its end mark was cut by somebody: only its first line is certainly Careen's. */
function othersOf(text: string): string {
  const begin = text.indexOf(`${BEGIN}\n`);
  if (begin < 0) return text;
  const end = text.indexOf(`${END}\n`, begin);
  const after = end < 0 ? begin + BEGIN.length + 1 : end + END.length + 1;
  return othersOf(text.slice(0, begin) + text.slice(after));
}
