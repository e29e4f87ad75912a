import { Lexer } from 'yaml';

/** Lists and objects within each other; the deepest of any format that is read has nine. */
export const MOST_NESTED = 64;

/**
 * Where a text is nested too deeply, in characters, or undefined. The parser itself would take minutes to say so.
 * Deep indentation is no danger: it needs as many characters as the square of its depth.
 */
export function tooNested(text: string): number | undefined {
  let offset = 0;
  let depth = 0;
  let dashes = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (token === '\n') dashes = 0;
    else if (token === '-' || token === '?') dashes++;
    if (depth > MOST_NESTED || dashes > MOST_NESTED) return offset;
    offset += token.length;
  }
  return undefined;
}
