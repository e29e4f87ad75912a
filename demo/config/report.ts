import { textTable } from '#cli/text-table.ts';
import type { Writes } from './writes.ts';

/** What one chapter came to. Times in milliseconds. */
export interface ConfigChapter {
  name: string;
  /** Nodes that it changed. */
  nodes: number;
  tookMs: number;
  /** Most nodes that were unavailable at once. */
  worst: number;
  writes: Writes;
}

const HEADING = ['CHAPTER', 'TOOK', 'NODES', 'UNAVAILABLE', 'SPEC', 'SECRET', 'STATUS', 'SET-UP', 'SHARED'];
const LEGEND = [
  '',
  'Writes of careen, events and leases apart; of a changed node:',
  '  SPEC    what it is to do: NodeState.spec, by an operator',
  '  SECRET  what it is given: its own Secret, by an operator',
  '  STATUS  what it says: NodeState.status, by its agent',
  '  SET-UP  what lets it read its Secret: account, role and binding, made once',
  'and of the whole chapter:',
  '  SHARED  what belongs to no node: the status of NodeConfigs, RenderedConfigs',
];

/** The closing table: a row a chapter, and what its columns are. */
export function reportChapters(chapters: readonly ConfigChapter[]): string[] {
  const rows = chapters.map(({ name, nodes, tookMs, worst, writes }) => {
    const { spec, secret, status, setUp, shared } = writes;
    const each = [spec, secret, status, setUp].map((count) => (count / Math.max(1, nodes)).toFixed(1));
    return [name, `${(tookMs / 1000).toFixed(1)} s`, String(nodes), String(worst), ...each, String(shared)];
  });
  return [...textTable(HEADING, rows).split('\n'), ...LEGEND];
}
