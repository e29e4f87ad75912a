import { KubeClient } from '../client/client.ts';
import { pluginCredentials } from '../client/plugin-credentials.ts';
import { EventRecorder } from '../events/recorder.ts';
import { FlagError, type Flags, type FlagValues, parseFlags } from '../flags/flags.ts';
import { Health } from '../health/health.ts';
import { serveHealth } from '../health/server.ts';
import { lead, type Leadership, NotLeadingError } from '../leader/leader.ts';
import { ownAccount } from '../leader/own-account.ts';
import { createLogger, type Log } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { operatorFlags } from './common-flags.ts';
import { type Shutdown, shutdownOnSignals, within } from './shutdown.ts';

export interface OperatorContext<F extends Flags = Flags> {
  flags: FlagValues<typeof operatorFlags & F>;
  /** Reads on every replica; writes are refused (NotLeadingError) unless this process leads at that instant. */
  client: KubeClient;
  log: Log;
  metrics: Metrics;
  /** Add checks here: `freshCheck(informer)`, `busyCheck(controller)`. */
  health: Health;
  events: EventRecorder;
  /** Aborts when the process is asked to end. */
  signal: AbortSignal;
}

export interface Operator {
  /** Runs while this process leads; returns soon after its signal aborted. */
  lead(signal: AbortSignal, leadership: Leadership): Promise<void>;
  /** Ends what `setup` started, such as informers. */
  stop?(): Promise<void>;
}

export interface RunOperatorOptions<F extends Flags> {
  /** Of the program, its Lease and its user agent, such as `careen-reboot-lock`. */
  name: string;
  /** Without node and script: `process.argv.slice(2)`. */
  argv: readonly string[];
  /** Flags of its own, besides the common ones. */
  flags?: F | undefined;
  /** Starts what runs on every replica (informers, endpoints) and returns what only the leader does. */
  setup: (context: OperatorContext<F>) => Promise<Operator> | Operator;
}

/** Requests a second, in the mean, of one operator: a fleet of thousands gets its offers within a minute or two. */
const QPS = 50;

/**
 * What an operator's `main.ts` calls: flags, client, health server, leader election, signals, a bounded clean
 * shutdown. Ends the process: 0 after SIGTERM or SIGINT, 1 on failure or a lost lease, 2 on wrong flags.
 *
 * @example
 * await runOperator({ name: 'careen-update', argv: process.argv.slice(2), setup: (context) => new Update(context) });
 */
export async function runOperator<F extends Flags>(options: RunOperatorOptions<F>): Promise<never> {
  const shutdown = shutdownOnSignals();
  process.exit(await operate(options, shutdown));
}

/** `runOperator` without the process around it: resolves with the exit status. */
export async function operate<F extends Flags>(
  options: RunOperatorOptions<F>,
  shutdown: Shutdown,
): Promise<number> {
  let flags: FlagValues<typeof operatorFlags & F>;
  try {
    flags = parseFlags(
      options.name,
      { ...operatorFlags, ...options.flags } as typeof operatorFlags & F,
      options.argv,
    );
  } catch (error) {
    return refuse(options.name, error);
  }
  const log = createLogger({ level: flags.logLevel, name: options.name });
  try {
    return await serve(options, flags, shutdown, log);
  } catch (error) {
    log.error(error instanceof NotLeadingError ? 'leadership lost; ending' : 'failed; ending', { error });
    return 1;
  }
}

function refuse(name: string, error: unknown): number {
  if (!(error instanceof FlagError)) throw error;
  const wanted = error.code === 'help';
  (wanted ? process.stdout : process.stderr).write(
    wanted ? `${error.message}\n` : `${name}: ${error.message}\n`,
  );
  return wanted ? 0 : 2;
}

async function serve<F extends Flags>(
  { name, setup }: RunOperatorOptions<F>,
  flags: FlagValues<typeof operatorFlags & F>,
  shutdown: Shutdown,
  log: Log,
): Promise<number> {
  const metrics = new Metrics();
  const onRequest = metrics.onRequest;
  const from = { kubeconfig: flags.kubeconfig, plugins: pluginCredentials, onRequest };
  const client = KubeClient.load({ ...from, userAgent: name, qps: QPS });
  const election = KubeClient.load({ ...from, userAgent: `${name}/election` });
  let leadership: Leadership | undefined;
  client.fenceWrites(() => {
    if (leadership === undefined)
      throw new NotLeadingError('this replica does not lead; nothing was written');
    leadership.fence();
  });
  const health = new Health();
  const server = await serveHealth({ address: flags.address, health, registry: metrics.registry, log });
  log.info('listening', { port: server.port });
  const events = new EventRecorder({
    client,
    controller: `careen.dev/${name}`,
    instance: flags.identity,
    log,
  });
  let operator: Operator | undefined;
  try {
    operator = await setup({ flags, client, log, metrics, health, events, signal: shutdown.signal });
    await lead({
      client: election,
      namespace: flags.namespace,
      name,
      identity: flags.identity,
      leaseDurationMs: flags.leaseDuration,
      renewDeadlineMs: flags.renewDeadline,
      retryPeriodMs: flags.retryPeriod,
      log,
      metrics,
      owner: (limit) => ownAccount(election, flags.namespace, name, limit),
      signal: shutdown.signal,
      onElected: async (signal, term) => {
        leadership = term;
        await operator?.lead(signal, term);
        await within(2000, events.flush());
      },
    });
    if (!shutdown.signal.aborted) throw new Error('the work of the leader ended by itself');
    return 0;
  } finally {
    await within(5000, operator?.stop?.());
    await within(1000, server.close());
    await Promise.all([client.close(), election.close()]);
    log.info('ended');
  }
}
