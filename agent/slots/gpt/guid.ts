/**
 * GUIDs as GPT stores them: the first three groups little-endian, the last two as they are written
 * (UEFI 2.10, appendix A). Text is lower-case with dashes.
 */
export function readGuid(bytes: Buffer, offset: number): string {
  const hex = swapped(bytes.subarray(offset, offset + 16)).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The 16 bytes of a GUID's text; throws a RangeError on anything else. */
export function guidBytes(text: string): Buffer {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new RangeError(`"${text}" is not a GUID`);
  }
  return swapped(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

function swapped(guid: Buffer): Buffer {
  const result = Buffer.from(guid);
  result.subarray(0, 4).swap32();
  result.subarray(4, 8).swap16();
  return result;
}
