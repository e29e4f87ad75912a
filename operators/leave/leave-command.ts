import { KubeClient } from '#runtime/client/client.ts';
import { pluginCredentials } from '#runtime/client/plugin-credentials.ts';
import { FlagError, parseFlags, type FlagValues } from '#runtime/flags/flags.ts';
import { durationFlag } from '#runtime/flags/types.ts';
import { operatorFlags } from '#runtime/operator/common-flags.ts';
import { shutdownOnSignals } from '#runtime/operator/shutdown.ts';
import { ownAccount } from '#runtime/leader/own-account.ts';
import { Tenure } from './tenure.ts';

const { address: _, ...common } = operatorFlags;

const leaveFlags = {
  ...common,
  timeout: {
    schema: durationFlag,
    value: 'TIME',
    default: '3m',
    help: 'How long it may take in all, waiting for the lead included.',
  },
  keepOut: {
    schema: durationFlag,
    value: 'TIME',
    default: '10m',
    help: 'How long operators that still run keep still afterwards; delete them in this time.',
  },
};

/** What one operator does before it is removed. */
export interface Leave {
  /** Of the operator and its Lease. */
  name: string;
  /** Takes back what is the operator's in the cluster; may be ended at any point and run again. */
  work: (options: LeaveOptions) => Promise<void>;
  /** What is so afterwards, as the beginning of a sentence. */
  done: string;
}

export interface LeaveOptions {
  /** Its writes are fenced by the Lease. */
  client: KubeClient;
  /** Ends it, when the Lease is lost or time is up. */
  signal: AbortSignal;
  /** One line for each thing done. */
  say: (line: string) => void;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * `leave`: what a person or the chart runs before an operator is deleted. Takes the lead, and then back what is the
 * operator's. Resolves with the exit status; run it again whenever it failed.
 */
export async function leaveCommand(leave: Leave, argv: readonly string[]): Promise<number> {
  const { name } = leave;
  try {
    await run(leave, parseFlags(`${name} leave`, leaveFlags, argv));
    return 0;
  } catch (error) {
    if (error instanceof FlagError && error.code === 'help') {
      say(error.message);
      return 0;
    }
    process.stderr.write(`${name} leave: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof FlagError ? 2 : 1;
  }
}

async function run({ name, work, done }: Leave, flags: FlagValues<typeof leaveFlags>): Promise<void> {
  const from = { kubeconfig: flags.kubeconfig, plugins: pluginCredentials };
  const client = KubeClient.load({ ...from, userAgent: `${name}/leave`, qps: 50 });
  const election = KubeClient.load({ ...from, userAgent: `${name}/election` });
  const tenure = new Tenure({
    client: election,
    namespace: flags.namespace,
    name,
    identity: flags.identity,
    leaseDurationMs: flags.leaseDuration,
    renewDeadlineMs: flags.renewDeadline,
    retryPeriodMs: flags.retryPeriod,
    say,
  });
  client.fenceWrites(() => tenure.fence());
  const ending = AbortSignal.any([shutdownOnSignals().signal, timeUp(flags.timeout)]);
  try {
    await tenure.take(ending);
    await work({ client, say, signal: AbortSignal.any([ending, tenure.lost]) });
    await tenure.endFor(flags.keepOut, await ownAccount(election, flags.namespace, name));
    const until = new Date(Date.now() + flags.keepOut).toISOString();
    say(`${done}; no ${name} acts before ${until}: delete it now`);
  } catch (error) {
    await tenure.giveBack();
    throw [ending, tenure.lost].find(({ aborted }) => aborted)?.reason ?? error;
  } finally {
    await Promise.all([client.close(), election.close()]);
  }
}

function timeUp(ms: number): AbortSignal {
  const controller = new AbortController();
  const message = `not done within ${ms / 1000} s, the operator goes on as before; see the lines above, and run it again`;
  setTimeout(() => controller.abort(new Error(message)), ms).unref();
  return controller.signal;
}
