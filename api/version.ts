/**
 * Order of two OS versions (`osVersion` in fields.ts): negative when `a` is older than `b`, 0 when neither is.
 *
 * Dotted numbers compare as numbers, a missing one is 0 (`2.0` = `2.0.0`). A pre-release is older than its
 * release and orders as in Semantic Versioning 2.0.0 §11.4; what follows a `+` (the build) does not order.
 */
export function compareVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  return (
    compareLists(left.numbers, right.numbers, '0', compareNumbers) ||
    comparePreReleases(left.preRelease, right.preRelease)
  );
}

interface Parsed {
  numbers: string[];
  preRelease: string[];
}

function parse(version: string): Parsed {
  const [ordered = ''] = version.split('+', 1);
  const dash = ordered.indexOf('-');
  if (dash < 0) return { numbers: ordered.split('.'), preRelease: [] };
  return { numbers: ordered.slice(0, dash).split('.'), preRelease: ordered.slice(dash + 1).split('.') };
}

function comparePreReleases(a: string[], b: string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  return compareLists(a, b, undefined, compareIdentifiers);
}

/** Compares item by item; a list that ends first is filled with `missing`, or is the lesser when that is not given. */
function compareLists(
  a: string[],
  b: string[],
  missing: string | undefined,
  compare: (a: string, b: string) => number,
): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const left = a[index] ?? missing;
    const right = b[index] ?? missing;
    if (left === undefined || right === undefined) return a.length - b.length;
    const order = compare(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function compareIdentifiers(a: string, b: string): number {
  const numeric = /^[0-9]+$/;
  if (numeric.test(a) && numeric.test(b)) return compareNumbers(a, b);
  if (numeric.test(a)) return -1;
  if (numeric.test(b)) return 1;
  return compareText(a, b);
}

/** Numbers of any length: a version may hold a date with seconds, or more digits than a double holds. */
function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
