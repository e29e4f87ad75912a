import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { MOST_NESTED, tooNested } from './nesting.ts';

/** What is not taken over, and where it stands. */
export interface Refused {
  /** Path in the source, such as `storage.disks[0]`. */
  what: string;
  /** From 1. */
  line: number;
  column: number;
  message: string;
}

/** Of a source: in characters, and in values that are looked at (aliases may make few characters many values). */
const LIMITS = { characters: 8 * 1024 * 1024, values: 100_000 } as const;

/** A text in YAML or JSON (which is YAML), with what was refused of it so far. */
export class Source {
  readonly refused: Refused[] = [];
  readonly documents: readonly Document[];
  readonly #lines = new LineCounter();
  #values = 0;

  constructor(text: string) {
    this.documents = this.#parse(text);
  }

  refuse(what: string, offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.refused.push({ what, line: Math.max(line, 1), column: Math.max(col, 1), message });
  }

  /** False: so many values were looked at that somebody means harm. */
  look(): boolean {
    this.#values++;
    if (this.#values === LIMITS.values)
      this.refuse('document', 0, `more than ${LIMITS.values} values; give less at once`);
    return this.#values < LIMITS.values;
  }

  /** The item, or undefined if anything in it had to be refused: half an item is not what was asked for. */
  whole<T>(read: () => T | undefined): T[] {
    const before = this.refused.length;
    const item = read();
    return item === undefined || this.refused.length > before ? [] : [item];
  }

  #parse(text: string): readonly Document[] {
    if (text.length > LIMITS.characters) {
      this.refuse('document', 0, `longer than ${LIMITS.characters} characters; give less at once`);
      return [];
    }
    const deep = tooNested(text);
    if (deep !== undefined) this.refuse('document', deep, `is nested more than ${MOST_NESTED} deep`);
    const documents = deep === undefined ? this.#documents(text) : [];
    for (const { errors } of documents) {
      for (const { pos, message } of errors) this.refuse('document', pos[0], message);
    }
    return this.refused.length > 0 ? [] : documents;
  }

  #documents(text: string): readonly Document[] {
    try {
      // The parser compares each key with each other; a cursor finds those that are given twice by itself.
      const found = parseAllDocuments(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        uniqueKeys: false,
      });
      return 'empty' in found ? [] : found;
    } catch (error) {
      // The parser gives up on what is nested too deeply.
      this.refuse('document', 0, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }
}
