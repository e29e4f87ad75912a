import { constants, inflateRawSync } from 'node:zlib';

/**
 * A secret with something in it for everybody who writes text in another way: quotes, a line's end, letters beyond
 * ASCII, and what HTML and URLs keep for themselves.
 */
export function plantedSecret(name: string): string {
  return `planted "${name}" \\ <hünter&2> 100% +/=?\nplanted`;
}

/** The names of the forms in which a secret stands in what was told or written; none: it does not leak. */
export function leaksOf(secret: string, told: string | Buffer): string[] {
  return [...new Set(search(secret, Buffer.from(told as string), DEPTH))].toSorted();
}

/** So often something packed is unpacked. */
const DEPTH = 4;

function search(secret: string, bytes: Buffer, depth: number): string[] {
  const text = bytes.toString('latin1');
  const found = Object.entries(formsOf(secret))
    .filter(([, forms]) => forms.some((form) => text.includes(form)))
    .map(([name]) => name);
  if (depth === 0) return found;
  const inside = [...packed(bytes), ...encoded(text)].flatMap(([how, content]) =>
    search(secret, content, depth - 1).map((name) => `${name} in ${how}`),
  );
  return [...found, ...inside];
}

/** Bytes as latin1, so that they are found in whatever they stand. */
function formsOf(secret: string): Record<string, string[]> {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replaceAll(/[^ -~]|[<>&]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  const url = encodeURIComponent(secret);
  const base64 = offsets(bytes);
  const forms: Record<string, string[]> = {
    plain: [secret],
    JSON: [json, ascii, ascii.replaceAll(/\\u[0-9a-f]{4}/g, (one) => one.toUpperCase().replace('U', 'u'))],
    'JSON in JSON': [JSON.stringify(json).slice(1, -1)],
    URL: [url, url.replaceAll('%20', '+'), url.toLowerCase()],
    hex: [bytes.toString('hex'), bytes.toString('hex').toUpperCase()],
    base64,
    base64url: base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')),
  };
  return Object.fromEntries(
    Object.entries(forms).map(([name, all]) => [
      name,
      all.map((form) => Buffer.from(form).toString('latin1')),
    ]),
  );
}

/** As it looks at each of the three places that it may have among other bytes, without its edges. */
function offsets(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return all.slice(offset === 0 ? 0 : 4, -4);
  });
}

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
/** Without a name or a comment, as it is where no file was packed. */
const HEADER = 10;
/** Whatever follows. */
const LENIENT = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * 1024 * 1024 };

function packed(bytes: Buffer): [string, Buffer][] {
  const found: [string, Buffer][] = [];
  for (let at = bytes.indexOf(GZIP); at >= 0; at = bytes.indexOf(GZIP, at + 1)) {
    try {
      found.push(['gzip', inflateRawSync(bytes.subarray(at + HEADER), LENIENT)]);
    } catch {
      // Three bytes that look like it.
    }
  }
  return found;
}

/** Whatever is written in base64 and is gzip, as in a Secret or a data URL; the rest is found without decoding. */
function encoded(text: string): [string, Buffer][] {
  return [...text.matchAll(/H4sI[A-Za-z0-9+/_-]{16,}/g)].map(([run]) => {
    return ['base64', Buffer.from(run.replaceAll('-', '+').replaceAll('_', '/'), 'base64')];
  });
}
