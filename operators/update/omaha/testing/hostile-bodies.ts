import { app, CHECK, event, MACHINE, PING, previous, request } from './sample-requests.ts';

/** Bodies that mean harm, the same ones for the same seed; for tests. */
export function* hostileBodies(count: number, seed = 1): Generator<Buffer> {
  const random = randomOf(seed);
  for (let index = 0; index < count; index++) {
    const make = KINDS[Math.floor(random() * KINDS.length)] ?? garbage;
    yield make(random);
  }
}

type Random = () => number;

const KINDS = [garbage, mutilated, spliced, deep, wide, attributes, entities, declared, long, spaced];

const WHOLE = request(app(PING + CHECK + previous('') + event(3, 0, 44), { machineid: MACHINE }));

function garbage(random: Random): Buffer {
  return Buffer.from(Array.from({ length: below(random, 600) }, () => below(random, 256)));
}

/** A request with some bytes of it changed. */
function mutilated(random: Random): Buffer {
  const bytes = Buffer.from(WHOLE);
  for (let times = below(random, 8) + 1; times > 0; times--)
    bytes[below(random, bytes.length)] = below(random, 256);
  return bytes;
}

/** Pieces of requests in any order. */
function spliced(random: Random): Buffer {
  const pieces = Array.from({ length: below(random, 12) }, () => {
    const from = below(random, WHOLE.length);
    return WHOLE.slice(from, from + below(random, 200));
  });
  return Buffer.from(pieces.join(''));
}

function deep(random: Random): Buffer {
  return Buffer.from(`<request>${'<a>'.repeat(below(random, 2000))}`);
}

function wide(random: Random): Buffer {
  return Buffer.from(request('<app/>'.repeat(below(random, 1000))));
}

function attributes(random: Random): Buffer {
  const many = Array.from({ length: below(random, 400) }, (_, index) => `a${index}="1"`);
  return Buffer.from(`<request ${many.join(' ')}/>`);
}

/** Entities within entities: a billion laughs, were they expanded. */
function entities(random: Random): Buffer {
  const levels = below(random, 12) + 1;
  const declared = Array.from({ length: levels }, (_, level) => {
    const value = level === 0 ? 'ha' : `&e${level - 1};`.repeat(10);
    return `<!ENTITY e${level} "${value}">`;
  });
  return Buffer.from(`<!DOCTYPE request [${declared.join('')}]><request version="&e${levels - 1};"/>`);
}

function declared(random: Random): Buffer {
  const encodings = ['UTF-16', 'UTF-7', 'x'.repeat(9000), 'EBCDIC-CP-US', ''];
  return Buffer.from(
    `<?xml version="1.0" encoding="${encodings[below(random, encodings.length)]}"?>${WHOLE}`,
  );
}

function long(random: Random): Buffer {
  return Buffer.from(request(app(CHECK, { machineid: 'm'.repeat(below(random, 8000)) })));
}

function spaced(random: Random): Buffer {
  const filler = [' ', '\n', '<!---->', '<?x ?>', '&#32;'][below(random, 5)] ?? ' ';
  return Buffer.from(`<request>${filler.repeat(below(random, 1500))}<app></request>`);
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** mulberry32. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
