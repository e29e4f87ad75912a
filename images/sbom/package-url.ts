/**
 * Package URLs: the names by which scanners know software (https://github.com/package-url/purl-spec). Every part
 * is percent-encoded for itself.
 */
export function packageUrl(
  type: 'deb' | 'generic' | 'npm' | 'oci',
  name: string,
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  const parts = name.split('/').map(encode).join('/');
  const query = Object.keys(qualifiers)
    .toSorted()
    .map((key) => `${key}=${encode(qualifiers[key] ?? '')}`)
    .join('&');
  return `pkg:${type}/${parts}@${encode(version)}${query && `?${query}`}`;
}

/** The colon stays as it is, says the specification. */
function encode(part: string): string {
  return encodeURIComponent(part).replaceAll('%3A', ':');
}
