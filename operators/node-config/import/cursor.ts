import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Scalar } from 'yaml';
import type { Source } from './source.ts';

/** How a format writes what Ignition calls `sshAuthorizedKeys`. */
export type KeyStyle = (key: string) => string;

interface Place {
  source: Source;
  document: Document;
  style: KeyStyle;
}

/** A value in a source, which knows its place. Whatever does not fit is refused there, and reads as absent. */
export class Cursor {
  readonly path: string;
  readonly #place: Place;
  readonly #node: unknown;
  readonly #offset: number;

  private constructor(place: Place, node: unknown, path: string, offset: number) {
    this.#place = place;
    this.#node = isAlias(node) ? node.resolve(place.document) : node;
    this.#offset = offset;
    this.path = path;
  }

  static of(source: Source, document: Document): Cursor {
    return new Cursor({ source, document, style: (key) => key }, document.contents, '', 0);
  }

  /** The same value, whose keys are written in another style. */
  styled(style: KeyStyle): Cursor {
    return new Cursor({ ...this.#place, style }, this.#node, this.path, this.#offset);
  }

  get source(): Source {
    return this.#place.source;
  }

  /** Null, false, 0, or nothing in it: it asks for nothing. */
  get empty(): boolean {
    const node = this.#node;
    if (isMap(node) || isSeq(node)) return node.items.length === 0;
    if (isScalar(node)) return [null, undefined, '', false, 0].includes(node.value as null);
    return true;
  }

  refuse(message: string): undefined {
    this.#place.source.refuse(this.path === '' ? 'document' : this.path, this.#offset, message);
  }

  /**
   * The fields of an object by their names in Ignition's style. All others are refused, in the words of `beyond`
   * where it has some.
   */
  fields<K extends string>(
    known: readonly K[],
    beyond: Readonly<Record<string, string>> = {},
  ): { [P in K]?: Cursor } {
    const found: { [P in K]?: Cursor } = {};
    for (const [key, cursor] of this.entries()) {
      const name = this.#place.style(key);
      if (cursor.#isNothing()) continue;
      if ((known as readonly string[]).includes(name)) found[name as K] = cursor;
      else if (!cursor.empty) cursor.refuse(beyond[name] ?? 'is not known here; check the name');
    }
    return found;
  }

  /** Of an object, as they stand in the source. */
  entries(): [string, Cursor][] {
    if (!isMap(this.#node)) {
      this.refuse('is no object');
      return [];
    }
    const seen = new Set<string>();
    return this.#node.items.flatMap(({ key, value }): [string, Cursor][] => {
      const name = isScalar(key) ? String(key.value) : '';
      const path = this.path === '' ? name : `${this.path}.${name}`;
      const [child] = this.#child(value, path, startOf(key));
      if (child === undefined) return [];
      if (seen.has(this.#place.style(name))) child.refuse('is given twice');
      seen.add(this.#place.style(name));
      return [[name, child]];
    });
  }

  items(): Cursor[] {
    if (!isSeq(this.#node)) {
      this.refuse('is no list');
      return [];
    }
    return this.#node.items.flatMap((item, index) =>
      this.#child(item, `${this.path}[${index}]`, startOf(item)),
    );
  }

  /** Text; a number or the like where text is meant is taken as it is written. */
  text(): string | undefined {
    const scalar = this.#scalar();
    if (scalar === undefined) return this.refuse('is no text');
    return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
  }

  /** What stands in the source without quotes, or in them. */
  written(): { text: string; quoted: boolean } | undefined {
    const scalar = this.#scalar();
    if (scalar === undefined) return this.refuse('is neither text nor number');
    if (typeof scalar.value === 'string') return { text: scalar.value, quoted: scalar.type !== 'PLAIN' };
    return { text: scalar.source ?? String(scalar.value), quoted: false };
  }

  /** YAML 1.1 said yes and no as well, and what is imported was written for it. */
  flag(): boolean | undefined {
    const value = this.#scalar()?.value;
    if (typeof value === 'boolean') return value;
    if (typeof value === 'string' && /^(yes|on|true)$/i.test(value)) return true;
    if (typeof value === 'string' && /^(no|off|false)$/i.test(value)) return false;
    return this.refuse('is neither true nor false');
  }

  #scalar(): Scalar | undefined {
    return isScalar(this.#node) && this.#node.value !== null ? this.#node : undefined;
  }

  /** As good as not written. */
  #isNothing(): boolean {
    return isScalar(this.#node) ? this.#node.value === null : this.empty;
  }

  #child(node: unknown, path: string, offset: number | undefined): Cursor[] {
    if (!this.#place.source.look()) return [];
    return [new Cursor(this.#place, node, path, offset ?? this.#offset)];
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined)?.range?.[0];
}
