import type { ArgumentsOwned, ArgumentsWanted } from './kernel-arguments.ts';

/**
 * A command line with what is wanted, and no more of what careen wanted before. Arguments of others keep their place
 * and order; what was there already is not ours, and stays when it is wanted no more.
 */
export function changeArguments(
  line: string,
  owned: ArgumentsOwned,
  wanted: ArgumentsWanted,
): { line: string; owned: ArgumentsOwned } {
  const theirs = wordsOf(line).filter((word) => !owned.added.includes(word));
  const original = [...theirs, ...owned.removed.filter((word) => !theirs.includes(word))];
  const removed = [...new Set(original.filter((word) => wanted.remove.includes(word)))];
  const left = original.filter((word) => !removed.includes(word));
  const added = wanted.add.filter((word) => !left.includes(word));
  return { line: [...left, ...added].join(' '), owned: { added, removed } };
}

/** Words may hold blanks between double quotes (kernel-parameters, "quoting"). */
export function wordsOf(line: string): string[] {
  return line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
}
