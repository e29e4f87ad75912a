import { KubeClient } from '#runtime/client/client.ts';
import { pluginCredentials } from '#runtime/client/plugin-credentials.ts';
import { FlagError, parseFlags, type FlagValues } from '#runtime/flags/flags.ts';
import { durationFlag } from '#runtime/flags/types.ts';
import { operatorFlags } from '#runtime/operator/common-flags.ts';
import { shutdownOnSignals } from '#runtime/operator/shutdown.ts';
import { leave } from './leave.ts';
import { ownAccount } from './own-account.ts';
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

const NAME = 'careen-reboot-lock';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * `reboot-lock leave`: what a person or the chart runs before the operator is deleted. Takes the lead, and then what
 * is careen's off the Nodes. Resolves with the exit status; run it again whenever it failed.
 */
export async function leaveCommand(argv: readonly string[]): Promise<number> {
  try {
    await run(parseFlags(`${NAME} leave`, leaveFlags, argv));
    return 0;
  } catch (error) {
    if (error instanceof FlagError && error.code === 'help') {
      say(error.message);
      return 0;
    }
    process.stderr.write(`${NAME} leave: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof FlagError ? 2 : 1;
  }
}

async function run(flags: FlagValues<typeof leaveFlags>): Promise<void> {
  const from = { kubeconfig: flags.kubeconfig, plugins: pluginCredentials };
  const client = KubeClient.load({ ...from, userAgent: `${NAME}/leave`, qps: 50 });
  const election = KubeClient.load({ ...from, userAgent: `${NAME}/election` });
  const tenure = new Tenure({
    client: election,
    namespace: flags.namespace,
    name: NAME,
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
    await leave({ client, say, signal: AbortSignal.any([ending, tenure.lost]) });
    await tenure.endFor(flags.keepOut, await ownAccount(election, flags.namespace, NAME));
    const until = new Date(Date.now() + flags.keepOut).toISOString();
    say(`nothing of careen's is left on any Node; no reboot lock acts before ${until}: delete it now`);
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
