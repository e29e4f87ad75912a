/** A word of a closed set, with the comment that explains it where it is declared. */
export interface Word {
  word: string;
  meaning: string;
}

/**
 * The words of a list that is declared as `export const NAME = [\n  'Word', // meaning\n … ] as const`, in order.
 *
 * The meaning stands once, beside the word, where a programmer reads it; the reference takes it from there.
 *
 * @param source text of the TypeScript file
 * @throws Error when the list is missing or a word is not explained
 */
export function words(source: string, name: string): Word[] {
  const body = new RegExp(`export const ${name} = \\[\\n([^\\]]*)\\] as const`).exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no list ${name}`);
  return body.trimEnd().split('\n').map(explained);
}

function explained(line: string): Word {
  const [, word, meaning] = /^ {2}'([A-Za-z]+)', \/\/ (.+)$/.exec(line) ?? [];
  if (word === undefined || meaning === undefined) throw new Error(`no comment explains ${line.trim()}`);
  return { word, meaning };
}
