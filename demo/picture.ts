import { styleText } from 'node:util';

/** What all pictures of the demo have in common. */

/** The line at the top: which chapter is told, and since when the story runs. */
export function header(
  { chapter, elapsedMs }: { chapter: string; elapsedMs: number },
  width: number,
): string {
  const clock = new Date(elapsedMs).toISOString().slice(14, 19);
  const title = ` careen · ${chapter}`;
  return styleText(['bold', 'inverse'], title + clock.padStart(Math.max(6, width - title.length - 1)) + ' ');
}

export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
