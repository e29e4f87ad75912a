import type { HealthCheck } from '#api/health.ts';
import { durationMs } from '#api/fields.ts';
import { isReady } from '#api/meta.ts';
import type { Node } from '#api/meta.ts';
import type { CommandResult } from '../boot/host.ts';
import type { CheckResult } from './gate.ts';
import { getLoopback } from './http.ts';

/** What checks look at. */
export interface ProbeTargets {
  /** Reads the agent's own Node, live; rejects when the API server does not answer. */
  node: (signal: AbortSignal) => Promise<Node>;
  run: (argv: readonly string[], signal: AbortSignal, limitMs: number) => Promise<CommandResult>;
  /** The boot that is on trial: what the kubelet said in an earlier one does not count. */
  bootID: string;
}

const LONGEST_MESSAGE = 512;
/** Longer than any check should take, and within what a timer can count. */
const LONGEST_MS = 60 * 60_000;

/**
 * Runs one round of checks, all at once; none takes longer than its timeout or `limitMs`. One that `limitMs` cuts short
 * had not its time to answer: why it failed in the round `before`, if it did, stands. Never rejects.
 */
export function probeAll(
  checks: readonly HealthCheck[],
  targets: ProbeTargets,
  limitMs: number,
  signal: AbortSignal,
  before: readonly CheckResult[] = [],
): Promise<CheckResult[]> {
  return Promise.all(
    checks.map(async (check) => {
      const result = await probe(check, targets, limitMs, signal);
      const failed = before.find(({ name, passed }) => name === check.name && !passed);
      return result === 'cut short' ? (failed ?? silent(check)) : result;
    }),
  );
}

function silent({ name, timeout }: HealthCheck): CheckResult {
  return { name, passed: false, message: `no answer within ${timeout}` };
}

async function probe(
  check: HealthCheck,
  targets: ProbeTargets,
  limitMs: number,
  signal: AbortSignal,
): Promise<CheckResult | 'cut short'> {
  const ms = Math.max(1, Math.min(durationMs(check.timeout), limitMs, LONGEST_MS));
  const timed = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  try {
    const problem = await attempt(check, targets, timed, ms);
    const message = (problem ?? 'passed').slice(0, LONGEST_MESSAGE);
    return { name: check.name, passed: problem === undefined, message };
  } catch (error) {
    if (timed.aborted) return ms < durationMs(check.timeout) ? 'cut short' : silent(check);
    return { name: check.name, passed: false, message: reason(error).slice(0, LONGEST_MESSAGE) };
  }
}

/** Undefined when the check passed, else what is wrong. */
function attempt(
  check: HealthCheck,
  targets: ProbeTargets,
  signal: AbortSignal,
  limitMs: number,
): Promise<string | undefined> {
  if (check.http !== undefined) return probeHttp(check.http, signal);
  if (check.command !== undefined) return probeCommand(check.command.argv, targets, signal, limitMs);
  return probeNode(targets, signal);
}

async function probeNode({ node, bootID }: ProbeTargets, signal: AbortSignal): Promise<string | undefined> {
  const found = await node(signal);
  // The Ready of the boot before stands for up to 40 s after the machine went down.
  const reported = found.status?.nodeInfo?.bootID;
  if (reported !== undefined && reported !== bootID) return 'the kubelet has not reported since the boot';
  return isReady(found) ? undefined : 'the Node is not Ready';
}

async function probeHttp(target: NonNullable<HealthCheck['http']>, signal: AbortSignal) {
  const status = await getLoopback(target, signal);
  return status >= 200 && status < 400 ? undefined : `port ${target.port} answered ${status}`;
}

async function probeCommand(
  argv: readonly string[],
  targets: ProbeTargets,
  signal: AbortSignal,
  limitMs: number,
) {
  const { status, output } = await targets.run(argv, signal, limitMs);
  signal.throwIfAborted();
  return status === 0 ? undefined : `ended with ${status ?? 'no status'}: ${output.trim()}`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
