/** The bytes of a data URL (RFC 2397), or what is wrong with it. `most`: bytes that it may have. */
export function dataUrl(url: string, most: number): { bytes: Buffer } | { wrong: string } {
  const [, media = '', data] = /^data:([^,]*),([\s\S]*)$/i.exec(url) ?? [];
  if (data === undefined) return { wrong: 'is no data URL (RFC 2397)' };
  // Three characters at most stand for a byte.
  if (data.length > 3 * most) return { wrong: tooLong(most) };
  const bytes = /;base64$/i.test(media.trim())
    ? fromBase64(percentDecoded(data).toString('latin1'))
    : percentDecoded(data);
  if (bytes === undefined) return { wrong: 'has data that is not base64' };
  return bytes.length > most ? { wrong: tooLong(most) } : { bytes };
}

/** Undefined for what is no base64 (RFC 4648 §4 or §5, with or without padding). */
export function fromBase64(text: string): Buffer | undefined {
  const bare = text.replace(/\s+/g, '').replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) return undefined;
  return Buffer.from(bare, 'base64');
}

export function tooLong(most: number): string {
  return `has more than ${most} bytes; put it into a Secret or ConfigMap, or an image`;
}

/** A percent sign without two digits stands for itself, as browsers and Ignition have it. */
function percentDecoded(text: string): Buffer {
  const parts = text.split(/%([0-9A-Fa-f]{2})/);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.from(part, 'hex') : Buffer.from(part))),
  );
}
