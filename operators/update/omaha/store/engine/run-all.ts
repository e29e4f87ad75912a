import { Books, type Changes, type Source } from '../books/books.ts';
import type { Outcome, Work } from '../work/work.ts';

/** Thrown by a source that must first fetch something: the works are then run once more, on fresh books. */
export class MustFetch extends Error {
  override readonly name = 'MustFetch';
}

/** Runs works one after the other on one set of books. One that throws has changed nothing, and stops no other. */
export function runAll(works: readonly Work[], source: Source): { outcomes: Outcome[]; changes: Changes } {
  const books = new Books(source);
  const outcomes = works.map((work) => outcomeOf(work, books));
  return { outcomes, changes: books.changes() };
}

function outcomeOf(work: Work, books: Books): Outcome {
  try {
    return { value: work.run(books) };
  } catch (error) {
    if (error instanceof MustFetch) throw error;
    return { error };
  }
}
