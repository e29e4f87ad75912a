import { FlagError, parseFlags } from '#runtime/flags/flags.ts';
import { createLogger } from '#runtime/log/log.ts';
import { shutdownOnSignals } from '#runtime/operator/shutdown.ts';
import { AGENT_FLAGS } from './flags.ts';
import type { AgentOptions } from './flags.ts';
import { runAgent } from './run.ts';

function options(): AgentOptions {
  try {
    return parseFlags('careen-agent', AGENT_FLAGS, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error.code === 'help' ? 0 : 2);
  }
}

const given = options();
const log = createLogger({ level: given.logLevel, name: 'agent' }).child({ node: given.nodeName });

try {
  await runAgent(given, log, shutdownOnSignals().signal);
} catch (error) {
  log.error('the agent cannot run', { error });
  process.exitCode = 1;
}
