import { contentOfBytes } from '../render/content.ts';

/** Of one file, in bytes: what base64 makes 524 288 characters of, which is as much as a NodeConfig holds. */
export const MOST_CONTENT = 393_216;

/** The content of a NodeConfig's file: as text where it is text, in which nothing is filled in. */
export function contentFields(bytes: Uint8Array): { contents: string } | { contentsBase64: string } {
  const content = contentOfBytes(bytes);
  // What no terminal shows as it is, and what is too long for the text field, goes as bytes.
  if ('text' in content && content.text.length <= 262_144 && !/(?![\t\n])\p{Cc}/u.test(content.text)) {
    return { contents: content.text };
  }
  return { contentsBase64: Buffer.from(bytes).toString('base64') };
}
