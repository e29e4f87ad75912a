import { textTable } from '#cli/text-table.ts';

/** What one chapter came to. Times in milliseconds. */
export interface OmahaChapter {
  name: string;
  /** From the publication until all rest. */
  tookMs: number;
  budget: number;
  /** Most that were away at once, and how many of them were nodes. */
  worst: number;
  worstNodes: number;
  /** Most machines on their way at once, from the offer until they were back. */
  worstUnderWay: number;
  updated: { nodes: number; machines: number };
  fellBack: { nodes: number; machines: number };
  halts: number;
  checks: number;
  /** Checks that were answered with `noupdate`. */
  noUpdate: number;
  /** The most machines that were seen to wait for each reason. */
  reasons: Readonly<Record<string, number>>;
  /** Answers that were none, by HTTP status; 0: no connection. */
  unanswered: Readonly<Record<string, number>>;
}

/** The closing table: a row a figure, a column a chapter. */
export function reportOmaha(chapters: readonly OmahaChapter[]): string[] {
  const rows: [string, (facts: OmahaChapter) => string][] = [
    ['time, from publication to rest', ({ tookMs }) => `${(tookMs / 1000).toFixed(1)} s`],
    ['most away at once / budget', ({ worst, budget }) => `${worst} / ${budget}`],
    ['  of them nodes, machines', ({ worst, worstNodes }) => `${worstNodes}, ${worst - worstNodes}`],
    ['machines under way at once / budget', ({ worstUnderWay, budget }) => `${worstUnderWay} / ${budget}`],
    ['nodes, machines updated', ({ updated }) => `${updated.nodes}, ${updated.machines}`],
    ['nodes, machines that fell back', ({ fellBack }) => `${fellBack.nodes}, ${fellBack.machines}`],
    ['halts', ({ halts }) => String(halts)],
    ['update checks', ({ checks }) => String(checks)],
    ['  a second', ({ checks, tookMs }) => (checks / (tookMs / 1000)).toFixed(0)],
    ['  answered with noupdate', ({ noUpdate }) => String(noUpdate)],
    ['requests without an answer', ({ unanswered }) => listed(unanswered)],
  ];
  const table = textTable(
    ['', ...chapters.map(({ name }) => name)],
    rows.map(([label, cell]) => [label, ...chapters.map(cell)]),
  );
  const why = chapters.map(
    ({ name, reasons }) => `why machines waited in ${name}, at most: ${listed(reasons)}`,
  );
  return [...table.split('\n'), '', ...why];
}

function listed(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return some.length === 0 ? 'none' : some.map(([what, count]) => `${what} ${count}`).join(', ');
}
