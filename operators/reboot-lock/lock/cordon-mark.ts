/** What our mark on a cordoned Node tells. */
export interface CordonMark {
  /** When it was set, epoch milliseconds; 0 if that cannot be read. */
  at: number;
  /** The cordon itself was taken off for a grant, and the mark left. */
  lifted: boolean;
}

const LIFTED = ' (lifted)';

/** The mark is `<identity>@<instant>`, or `<identity> (lifted)@<instant>`; one that cannot be read is still ours. */
export function readMark(text: string): CordonMark {
  const end = text.lastIndexOf('@');
  const at = Date.parse(text.slice(end + 1));
  return { at: Number.isNaN(at) ? 0 : at, lifted: text.slice(0, Math.max(0, end)).endsWith(LIFTED) };
}

export function writeMark(identity: string, { at, lifted }: CordonMark): string {
  return `${identity}${lifted ? LIFTED : ''}@${new Date(at).toISOString()}`;
}
