import { textTable } from '#cli/text-table.ts';

/** What one chapter came to. Times in milliseconds. */
export interface ConfigChapter {
  name: string;
  /** Nodes that it changed. */
  nodes: number;
  tookMs: number;
  /** Most nodes that were unavailable at once. */
  worst: number;
  /** Writes of careen, events and leases apart. */
  writes: number;
}

/** The closing table: a row a chapter. */
export function reportChapters(chapters: readonly ConfigChapter[]): string[] {
  const rows = chapters.map(({ name, nodes, tookMs, worst, writes }) => [
    name,
    `${(tookMs / 1000).toFixed(1)} s`,
    String(nodes),
    String(worst),
    (writes / Math.max(1, nodes)).toFixed(1),
  ]);
  return textTable(['CHAPTER', 'TOOK', 'NODES', 'UNAVAILABLE', 'WRITES A NODE'], rows).split('\n');
}
