/**
 * Where the path of a field (`spec.checks[].http.port`, see `fields`) leads in an object: the first item of a
 * list, or value of a map, that has the rest of the path. Undefined when it leads nowhere.
 */
export function placeOf(object: unknown, path: string): (string | number)[] | undefined {
  return follow(object, path === '' ? [] : path.replaceAll(/(\[\]|\{\})/g, '.$1').split('.'));
}

function follow(value: unknown, [step, ...rest]: string[]): (string | number)[] | undefined {
  if (step === undefined) return value === undefined ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key of step === '[]' || step === '{}' ? Object.keys(value) : [step]) {
    const further = follow((value as Record<string, unknown>)[key], rest);
    if (further !== undefined) return [step === '[]' ? Number(key) : key, ...further];
  }
  return undefined;
}

/** The value at a place. */
export function at(object: unknown, place: readonly (string | number)[]): unknown {
  return place.reduce((value, step) => (value as Record<string | number, unknown>)[step], object);
}

/** A copy of the object with another value at the place; none when the value is undefined. */
export function placed<T>(object: T, place: readonly (string | number)[], value: unknown): T {
  const [last, ...before] = place.toReversed();
  if (last === undefined) return value as T;
  const copy = structuredClone(object);
  const parent = at(copy, before.toReversed()) as Record<string | number, unknown>;
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}
