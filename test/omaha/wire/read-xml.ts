/** An element in no namespace or, by its whole name, in one. */
export interface Element {
  name: string;
  /** Nothing where no default namespace is in force. */
  namespace: string | undefined;
  attributes: ReadonlyMap<string, string>;
  children: Element[];
}

/** The text is not well-formed XML. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const NAME = /[A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*/y;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const DEEPEST = 256; // as libxml2
const SKIPPED: readonly (readonly [string, string])[] = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<!DOCTYPE', '>'],
];

/** Reads one document as a strict parser does; text between elements is checked and left out. Throws XmlError. */
export function readXml(text: string): Element {
  const reader = new Reader(text.replace(/^\uFEFF/, ''));
  const root = reader.document();
  return root;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Element {
    this.#skip(false);
    const root = this.#element(undefined, 0);
    this.#skip(false);
    if (this.#at < this.#text.length) throw this.#error('something follows the root element');
    return root;
  }

  #element(namespace: string | undefined, depth: number): Element {
    if (depth > DEEPEST) throw this.#error('elements are nested too deeply');
    this.#expect('<');
    const name = this.#name();
    const attributes = this.#attributes();
    const own = attributes.has('xmlns') ? attributes.get('xmlns') || undefined : namespace;
    const element: Element = { name, namespace: own, attributes, children: [] };
    if (this.#take('/>')) return element;
    this.#expect('>');
    for (this.#skip(true); !this.#text.startsWith('</', this.#at); this.#skip(true)) {
      element.children.push(this.#element(own, depth + 1));
    }
    this.#expect(`</${name}`);
    this.#blanks();
    this.#expect('>');
    return element;
  }

  #attributes(): Map<string, string> {
    const attributes = new Map<string, string>();
    while (this.#blanks() && !/[/>]/.test(this.#text.charAt(this.#at))) {
      const name = this.#name();
      this.#blanks();
      this.#expect('=');
      this.#blanks();
      if (attributes.has(name)) throw this.#error(`attribute ${name} stands twice`);
      attributes.set(name, this.#value());
    }
    return attributes;
  }

  #value(): string {
    const quote = this.#text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") throw this.#error('a value without quotation marks');
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) throw this.#error('a value without end');
    const raw = this.#text.slice(this.#at + 1, end);
    if (raw.includes('<')) throw this.#error('< in a value');
    this.#at = end + 1;
    return this.#decoded(raw);
  }

  #decoded(raw: string): string {
    return raw.replace(
      /&(#x[0-9a-fA-F]+|#[0-9]+|\w+)?(;?)/g,
      (all, name: string | undefined, end: string) => {
        const code = name?.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name?.slice(1));
        const known = name?.startsWith('#') ? character(code) : ENTITIES[name ?? ''];
        if (known === undefined || end === '') throw this.#error(`${all} is no entity`);
        return known;
      },
    );
  }

  /** Goes to the next tag; text on the way is only fit inside the root. */
  #skip(inside: boolean): void {
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      const text = this.#text.slice(this.#at, next < 0 ? undefined : next);
      if (!inside && text.trim() !== '') throw this.#error('text outside the root element');
      this.#decoded(text);
      this.#at += text.length;
      const skipped = SKIPPED.find(([start]) => this.#text.startsWith(start, this.#at));
      if (skipped === undefined) return;
      const end = this.#text.indexOf(skipped[1], this.#at);
      if (end < 0) throw this.#error(`${skipped[0]} without end`);
      this.#at = end + skipped[1].length;
    }
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0];
    if (name === undefined) throw this.#error('a name is missing');
    this.#at += name.length;
    return name;
  }

  #blanks(): true {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at++;
    return true;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#error(`${text} is missing`);
  }

  #error(what: string): XmlError {
    return new XmlError(`${what} (at ${this.#at})`);
  }
}

function character(code: number): string | undefined {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
