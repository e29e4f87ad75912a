import { filesAt, filesOfKind, slowKinds, testKinds, type TestKind } from './kind.ts';

/** What `npm test` is asked to do: checks by name, and test files by kind. */
export interface Plan {
  checks: string[];
  tests: { kind: TestKind; files: string[] }[];
  /** Words that are neither a check, nor a kind, nor a path with tests. */
  unknown: string[];
}

/**
 * Reads the words of the command line: `static` or the name of a check, a kind of tests, or paths. No word means
 * everything but the slow kinds.
 */
export function plan(words: readonly string[], checks: readonly string[], files: readonly string[]): Plan {
  const all = words.length === 0;
  const named = (...names: string[]) => names.some((name) => words.includes(name));
  const asked = (...names: string[]) => all || named(...names);
  const wanted = (kind: TestKind) => (slowKinds.includes(kind) ? named(kind) : asked(kind));
  const known = new Set<string>(['static', ...checks, ...testKinds]);
  const paths = words.filter((word) => !known.has(word));
  const below = paths.flatMap((path) => filesAt(files, path));
  return {
    checks: checks.filter((name) => asked('static', name)),
    tests: testKinds
      .map((kind) => ({ kind, files: filesOfKind(wanted(kind) ? files : below, kind) }))
      .filter((group) => group.files.length > 0),
    unknown: paths.filter((path) => filesAt(files, path).length === 0),
  };
}
