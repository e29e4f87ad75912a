import { readFileSync } from 'node:fs';

/** What a run took. */
export interface Figures {
  perSecond: number;
  /** ms. */
  p50: number;
  p95: number;
  p99: number;
  /** Processor time of what is measured, in µs for each: the figure that other load on the machine changes least. */
  cpu: number;
  /** The same of this process, where the load comes from another one than what is measured. */
  load: number;
}

/** A process; `self` where the load comes from the process that is measured. */
export type Pid = number | 'self';

/** Does `act` with `0…count - 1`, `together` at a time. */
export async function run(
  count: number,
  together: number,
  act: (index: number) => Promise<unknown>,
  pid: Pid = 'self',
): Promise<Figures> {
  const times = new Float64Array(count);
  let next = 0;
  const lane = async () => {
    for (let index = next; index < count; index = next) {
      next += 1;
      const start = performance.now();
      await act(index);
      times[index] = performance.now() - start;
    }
  };
  const before = cpuMicros(pid);
  const own = cpuMicros('self');
  const start = performance.now();
  await Promise.all(Array.from({ length: together }, lane));
  const seconds = (performance.now() - start) / 1000;
  const sorted = times.toSorted();
  const at = (share: number) => sorted[Math.min(count - 1, Math.floor(count * share))] ?? NaN;
  const cpu = (cpuMicros(pid) - before) / count;
  const load = pid === 'self' ? 0 : (cpuMicros('self') - own) / count;
  return { perSecond: count / seconds, p50: at(0.5), p95: at(0.95), p99: at(0.99), cpu, load };
}

/** The median of several runs, figure by figure. */
export async function medianOf(runs: number, act: (run: number) => Promise<Figures>): Promise<Figures> {
  const all: Figures[] = [];
  for (let index = 0; index < runs; index += 1) all.push(await act(index));
  const median = (figure: keyof Figures) =>
    all.map((one) => one[figure]).toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? NaN;
  return {
    perSecond: median('perSecond'),
    p50: median('p50'),
    p95: median('p95'),
    p99: median('p99'),
    cpu: median('cpu'),
    load: median('load'),
  };
}

export function print(what: string, { perSecond, p50, p95, p99, cpu, load }: Figures): void {
  const client = load === 0 ? '' : `, of the load ${load.toFixed(0)} µs`;
  const figures = `p50 ${ms(p50)}  p95 ${ms(p95)}  p99 ${ms(p99)} ms, cpu ${cpu.toFixed(0)} µs${client}`;
  console.log(`${what.padEnd(58)} ${String(Math.round(perSecond)).padStart(7)}/s  ${figures}`);
}

/** The processor time that a process has used, in µs, to a hundredth of a second. */
function cpuMicros(pid: Pid): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0).padStart(6);
}

/** Bytes that this process, or another one, has sent to the disk. */
export function bytesWritten(pid: Pid = 'self'): number {
  const line = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'));
  return Number(line?.[1] ?? NaN);
}

/** Resident memory, in bytes. */
export function memory(pid: Pid = 'self'): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? NaN) * 1024;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
