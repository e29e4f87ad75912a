/** A text as one word of a POSIX shell, whatever is in it. The scripts that undo a change on the host are made of these. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
