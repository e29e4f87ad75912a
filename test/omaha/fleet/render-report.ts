import type { Counts, FleetReport } from './tally.ts';

/** A report as a few lines for a terminal. */
export function renderReport(report: FleetReport): string {
  const { machines, vanished, inFlight, latencyMs, seconds, requestsPerSecond } = report;
  const gone = vanished === 0 ? '' : `, ${vanished} vanished`;
  const rate = `${requestsPerSecond.toFixed(1)} requests/s`;
  const latency = [latencyMs.p50, latencyMs.p95, latencyMs.p99].map((ms) => ms.toFixed(1)).join(' / ');
  const rows: [string, string][] = [
    ['machines', `${machines}${gone} after ${seconds.toFixed(0)} s`],
    ['versions', list(report.versions)],
    ['phases', list(report.phases)],
    ['in flight', `${inFlight.now} now, ${inFlight.worst} at worst`],
    ['happened', list(report.happenings)],
    ['errors', list(report.errors)],
    ['answers', list(report.statuses)],
    ['speed', `${rate}, p50 / p95 / p99 ${latency} ms`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(10)} ${text}`).join('\n');
}

function list(counts: Counts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? '-' : parts.join('  ');
}
