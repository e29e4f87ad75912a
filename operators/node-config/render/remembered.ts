/** What `make` gave for the key before; the longest unused entry leaves when there are more than `most`. */
export function remembered<V>(entries: Map<string, V>, key: string, most: number, make: () => V): V {
  const found = entries.get(key) ?? make();
  entries.delete(key);
  entries.set(key, found);
  const [oldest] = entries.keys();
  if (entries.size > most && oldest !== undefined) entries.delete(oldest);
  return found;
}
