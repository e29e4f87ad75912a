import { SaxesParser } from 'saxes';
import { MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE } from './bounds.ts';
import { RequestError } from './request-error.ts';

export type Attributes = Readonly<Record<string, string>>;

export interface ElementHandler {
  /** Depth of the root is 0. The name is without its prefix. */
  open(name: string, attributes: Attributes, depth: number): void;
}

/**
 * Reads the elements of one XML document in order, up to the end of its root element; what comes after is never
 * looked at. Throws a RequestError on anything that is not well-formed or beyond the bounds.
 *
 * No entity but XML's own five is ever expanded, and a document type is passed over, so that what an attack
 * can cost is bounded by the size of its body.
 */
export function readElements(body: Uint8Array, handler: ElementHandler): void {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const state = { depth: 0, elements: 0, closed: false };
  let attributes = 0;
  parser.on('error', (error) => {
    if (!isOnlyRepetition(error)) throw new RequestError('Malformed', error.message, { cause: error });
  });
  parser.on('xmldecl', ({ encoding }) => checkEncoding(encoding));
  parser.on('opentagstart', () => (attributes = 0));
  parser.on('attribute', ({ name, value }) => {
    attributes += 1;
    if (attributes > MAX_ATTRIBUTES)
      throw tooComplex(`an element has more than ${MAX_ATTRIBUTES} attributes`);
    if (value.length > MAX_VALUE) throw tooComplex(`attribute ${local(name)} is too long`);
  });
  parser.on('opentag', ({ name, attributes: found }) => {
    state.elements += 1;
    if (state.elements > MAX_ELEMENTS) throw tooComplex(`there are more than ${MAX_ELEMENTS} elements`);
    if (state.depth >= MAX_DEPTH) throw tooComplex(`elements are nested more than ${MAX_DEPTH} deep`);
    handler.open(local(name), found, state.depth);
    state.depth += 1;
  });
  parser.on('closetag', () => {
    state.depth -= 1;
    if (state.depth === 0) throw END;
  });
  feed(parser, decode(body));
}

/** Thrown through the parser at the end of the root element. */
const END = Symbol('end of the root element');

function feed(parser: SaxesParser<{ xmlns: false; position: false }>, text: string): void {
  try {
    parser.write(text).close();
  } catch (error) {
    if (error === END) return;
    if (error instanceof RequestError) throw error;
    throw new RequestError('Malformed', 'the parser gave up', { cause: error });
  }
  throw new RequestError('Malformed', 'the document ends before its root element does');
}

/** Of an attribute that is given twice the last one counts, as it does for the servers in the field. */
function isOnlyRepetition(error: Error): boolean {
  return error.message.includes('duplicate attribute');
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new RequestError('Encoding', 'the body is not UTF-8', { cause: error });
  }
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined || /^utf-?8$/i.test(encoding)) return;
  throw new RequestError('Encoding', `the body says that it is ${encoding.slice(0, 32)}; send UTF-8`);
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function tooComplex(message: string): RequestError {
  return new RequestError('TooComplex', message);
}
