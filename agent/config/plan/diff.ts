import { createTwoFilesPatch } from 'diff';

/** As the status allows. */
const MAX_LENGTH = 4096;
const CUT = '\n… cut\n';
/** More lines that differ than anybody reads, and than a diff may take time for. */
const MAX_EDITS = 2000;
const MAX_TEXT = 256 * 1024;

export interface Side {
  /** Owner and mode. */
  mark: string;
  /** Undefined: there is none, or it is not shown. */
  text?: string | undefined;
}

/** A unified diff of at most 4096 characters, with the owner and the mode where a date usually stands. */
export function diffOf(path: string, before: Side, after: Side): string {
  return cut(contentDiff(path, before, after) ?? headers(path, before, after));
}

function contentDiff(path: string, before: Side, after: Side): string | undefined {
  const [old = '', fresh = ''] = [before.text, after.text];
  if (old === fresh || old.length > MAX_TEXT || fresh.length > MAX_TEXT || isBinary(old) || isBinary(fresh))
    return undefined;
  return createTwoFilesPatch(path, path, old, fresh, before.mark, after.mark, {
    context: 3,
    maxEditLength: MAX_EDITS,
    timeout: 1000,
  })?.replace(/^Index: .*\n=+\n/, '');
}

function headers(path: string, before: Side, after: Side): string {
  return `--- ${path}\t${before.mark}\n+++ ${path}\t${after.mark}\n`;
}

/** Bytes that are no text are not shown: replaced ones would lie about what is there. */
function isBinary(text: string): boolean {
  return /[\0\uFFFD]/.test(text);
}

function cut(text: string): string {
  return text.length <= MAX_LENGTH ? text : text.slice(0, MAX_LENGTH - CUT.length) + CUT;
}
