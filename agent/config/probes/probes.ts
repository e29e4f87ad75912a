import type { ConfigProbe } from '#api/config-fields.ts';
import { durationMs } from '#api/fields.ts';
import { isReady } from '#api/meta.ts';
import type { Node } from '#api/meta.ts';
import type { CommandResult } from '#agent/boot/host.ts';
import type { CheckResult } from '#agent/health/gate.ts';
import { getLoopback } from '#agent/health/http.ts';
import type { UnitFacts } from '../units/units.ts';
import { reach } from './gateway.ts';

/** What probes look at. All reject where there is no answer. */
export interface ProbeTargets {
  /** The agent's own Node, over a connection of its own: one that lives on proves nothing. */
  node: (signal: AbortSignal) => Promise<Node>;
  run: (argv: readonly string[], signal: AbortSignal, limitMs: number) => Promise<CommandResult>;
  unit: (name: string) => Promise<UnitFacts>;
  gateway: () => Promise<string | undefined>;
  /** How often each unit had been restarted by systemd when the change was made. */
  restarts: Readonly<Record<string, number>>;
  bootID: string;
}

const LONGEST_MESSAGE = 512;
const LONGEST_MS = 60_000;

/** Runs one round of probes, all at once. Never rejects. */
export function probeAll(
  probes: readonly ConfigProbe[],
  targets: ProbeTargets,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  return Promise.all(probes.map((probe) => probeOne(probe, targets, signal)));
}

async function probeOne(
  probe: ConfigProbe,
  targets: ProbeTargets,
  signal: AbortSignal,
): Promise<CheckResult> {
  const ms = Math.min(durationMs(probe.timeout), LONGEST_MS);
  const timed = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const { name } = probe;
  try {
    const problem = await within(attempt(probe, targets, timed, ms), timed);
    return { name, passed: problem === undefined, message: (problem ?? 'passed').slice(0, LONGEST_MESSAGE) };
  } catch (error) {
    const why = timed.aborted ? `no answer within ${probe.timeout}` : reason(error);
    return { name, passed: false, message: why.slice(0, LONGEST_MESSAGE) };
  }
}

/** What does not heed the signal is not waited for. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true });
  return Promise.race([work, promise]);
}

/** Undefined when the probe passed, else what is wrong. */
async function attempt(
  probe: ConfigProbe,
  targets: ProbeTargets,
  signal: AbortSignal,
  limitMs: number,
): Promise<string | undefined> {
  if (probe.http !== undefined) return answers(await getLoopback(probe.http, signal), probe.http.port);
  if (probe.command !== undefined) return exits(await targets.run(probe.command.argv, signal, limitMs));
  if (probe.dns !== undefined)
    return exits(await targets.run(['getent', 'ahosts', probe.dns.name], signal, limitMs));
  if (probe.unit !== undefined) return steady(await targets.unit(probe.unit.name), targets.restarts);
  if (probe.defaultGateway !== undefined) return throughGateway(targets, signal);
  const node = await targets.node(signal);
  return probe.nodeReady === undefined ? undefined : notReady(node, targets.bootID);
}

function answers(status: number, port: number): string | undefined {
  return status >= 200 && status < 400 ? undefined : `port ${port} answered ${status}`;
}

function exits({ status, output }: CommandResult): string | undefined {
  return status === 0 ? undefined : `ended with ${status ?? 'no status'}: ${output.trim()}`;
}

function steady({ name, active, restarts }: UnitFacts, before: ProbeTargets['restarts']): string | undefined {
  if (active !== 'active') return `${name} is ${active}`;
  const more = restarts - (before[name] ?? 0);
  return more > 0 ? `${name} was restarted ${more} times since the change` : undefined;
}

async function throughGateway({ gateway }: ProbeTargets, signal: AbortSignal): Promise<string | undefined> {
  const address = await gateway();
  return address === undefined ? 'there is no default gateway' : reach(address, signal);
}

/** Why the kubelet of this boot does not call the Node Ready; undefined: it does. */
export function notReady(node: Node, bootID: string): string | undefined {
  const reported = node.status?.nodeInfo?.bootID;
  if (reported !== undefined && reported !== bootID) return 'the kubelet has not reported since the boot';
  return isReady(node) ? undefined : 'the Node is not Ready';
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
