import { z } from 'zod';

const owned = { mode: z.int().min(0).max(0o7777), uid: z.int().min(0), gid: z.int().min(0) };
const sha256 = z.string().length(64);

/** What stands at a path: enough to tell whether it is what was put there. Times are no part of it. */
export const stateSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('absent') }),
  z.strictObject({ type: z.literal('file'), sha256, size: z.int().min(0), ...owned }),
  z.strictObject({ type: z.literal('directory'), ...owned }),
  z.strictObject({ type: z.literal('link'), target: z.string(), uid: owned.uid, gid: owned.gid }),
  /** A fifo, a socket or a device: never opened, never kept. */
  z.strictObject({ type: z.literal('other'), what: z.string() }),
]);
export type State = z.infer<typeof stateSchema>;
export type FileState = Extract<State, { type: 'file' }>;

export const ABSENT: State = { type: 'absent' };

/** Whether two states are one, owner and mode included. */
export function sameState(a: State, b: State): boolean {
  return sameContent(a, b) && mark(a) === mark(b);
}

/** Whether two states hold the same, whoever owns it. */
export function sameContent(a: State, b: State): boolean {
  if (a.type === 'file') return b.type === 'file' && a.sha256 === b.sha256;
  if (a.type === 'link') return b.type === 'link' && a.target === b.target;
  return a.type === b.type;
}

/** Owner and mode in one word, as a message shows them. */
export function mark(state: State): string {
  if (state.type === 'absent' || state.type === 'other') return '';
  const mode = state.type === 'link' ? '' : `${state.mode.toString(8).padStart(4, '0')} `;
  return `${mode}${state.uid}:${state.gid}`;
}
