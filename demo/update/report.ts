import { handOversMs, idealMs, type Outage } from '#test/observer/ledger.ts';
import { sumOf, type Traffic } from '#test/observer/audit.ts';

/** What one chapter of the demo came to. Times in milliseconds. */
export interface ChapterFacts {
  name: string;
  /** From the first node's cordon to the last node's return. */
  wallMs: number;
  /** From the publication to the end of the chapter. */
  totalMs: number;
  budget: number;
  worst: number;
  outages: readonly Outage[];
  evicted: number;
  lost: number;
  /** Nodes that went through a whole update in this chapter. */
  updates: number;
  traffic: Map<string, Traffic>;
}

/** The programs whose traffic is told apart, by the end of their account's name. */
const MAKERS = {
  'careen-update': /:careen-update$/,
  'careen-reboot-lock': /:careen-reboot-lock$/,
  'careen-agent': /:careen-agent$/,
};

export interface Share {
  requests: number;
  writes: number;
}

/** Requests and state writes per node update, by who made them. */
export function sharesOf({ traffic, updates }: ChapterFacts): Record<keyof typeof MAKERS, Share> {
  const share = (pattern: RegExp): Share => {
    const mine = [...traffic].filter(([user]) => pattern.test(user));
    const per = (figure: (one: Traffic) => number) => sumOf(mine, figure) / Math.max(1, updates);
    return { requests: per((one) => one.requests - one.leases), writes: per((one) => one.writes) };
  };
  return {
    'careen-update': share(MAKERS['careen-update']),
    'careen-reboot-lock': share(MAKERS['careen-reboot-lock']),
    'careen-agent': share(MAKERS['careen-agent']),
  };
}

/** Objects that belong to one node; the rest (locks, groups, channels) are shared by all. */
const OWN = /^(nodes|nodestates)(\/|$)/;

/** State writes per node update: to the node's own objects, and to those that all share. */
export function writesPerUpdate({ traffic, updates }: ChapterFacts): { own: number; shared: number } {
  const careen = [...traffic].filter(([user]) => Object.values(MAKERS).some((pattern) => pattern.test(user)));
  const own = sumOf(careen, ({ byResource }) => sumWhere(byResource, (resource) => OWN.test(resource)));
  const all = sumOf(careen, ({ writes }) => writes);
  return { own: own / Math.max(1, updates), shared: (all - own) / Math.max(1, updates) };
}

function sumWhere(counts: Record<string, number>, fits: (key: string) => boolean): number {
  return Object.entries(counts).reduce((sum, [key, count]) => sum + (fits(key) ? count : 0), 0);
}

/** Wall time over the time that a coordinator which loses none would need for the same outages. */
export function overIdeal({ wallMs, outages, budget }: ChapterFacts): number {
  const ideal = idealMs(outages, budget);
  return ideal === 0 ? 1 : wallMs / ideal;
}

/** The closing table: a row a figure, a column a chapter. */
export function reportTable(chapters: readonly ChapterFacts[]): string[] {
  const rows: [string, (facts: ChapterFacts) => string][] = [
    ['time, from publication to rest', (facts) => seconds(facts.totalMs)],
    ['first cordon to last return', (facts) => seconds(facts.wallMs)],
    ['ideal (machines’ own time ÷ budget)', (facts) => seconds(idealMs(facts.outages, facts.budget))],
    ['wall over ideal', (facts) => overIdeal(facts).toFixed(3)],
    [
      'place free to next cordon, longest',
      (facts) => seconds(Math.max(0, ...handOversMs(facts.outages, facts.budget))),
    ],
    ['most unavailable at once / budget', ({ worst, budget }) => `${worst} / ${budget}`],
    ['pods evicted / lost', ({ evicted, lost }) => `${evicted} / ${lost}`],
    ['node updates', ({ updates }) => String(updates)],
    ['writes a node update, its own objects', (facts) => writesPerUpdate(facts).own.toFixed(1)],
    ['  and to locks, groups, channels', (facts) => writesPerUpdate(facts).shared.toFixed(1)],
    ...(Object.keys(MAKERS) as (keyof typeof MAKERS)[]).map(
      (maker): [string, (facts: ChapterFacts) => string] => [
        `  ${maker}: requests, writes`,
        (facts) => {
          const { requests, writes } = sharesOf(facts)[maker];
          return `${requests.toFixed(1)}, ${writes.toFixed(1)}`;
        },
      ],
    ),
  ];
  return table(
    ['', ...chapters.map(({ name }) => name)],
    rows.map(([label, cell]) => [label, ...chapters.map(cell)]),
  );
}

function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ');
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
