/**
 * The assignments of an os-release(5) file: one `KEY=value` a line, the value bare or in one pair of quotes,
 * with shell escapes inside double quotes. Anything else on a line is passed over.
 */
export function parseOsRelease(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], unquote(match[2]));
  }
  return values;
}

function unquote(text: string): string {
  const single = /^'([^']*)'$/.exec(text);
  if (single?.[1] !== undefined) return single[1];
  const double = /^"(.*)"$/.exec(text);
  return (double?.[1] ?? text).replaceAll(/\\(["$`\\])/g, '$1');
}
