/**
 * A sysctl's name with slashes, as below /proc/sys. In `net.ipv4.conf.eth0/1.rp_filter` dots and slashes have changed
 * places; the first of them says which separates (sysctl.d(5)).
 */
export function sysctlKey(name: string): string {
  const dotted = /^[^./]*\./.test(name);
  return dotted ? name.replace(/[./]/g, (one) => (one === '.' ? '/' : '.')) : name;
}

/** With dots where that is not ambiguous, as most people write it. */
export function sysctlName(key: string): string {
  return key.includes('.') ? key : key.replaceAll('/', '.');
}

/** The settings that a file of /etc/sysctl.d makes, by key; the last line of a key counts. */
export function sysctlsIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*-?\s*([^#;\s=][^\s=]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !/[*?[]/.test(name))
      found.set(sysctlKey(name), sysctlValue(value));
  }
  return found;
}

/** The kernel takes any white space between the numbers of a value for the same. */
export function sysctlValue(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
