import { KubeClient } from '#runtime/client/client.ts';
import { FlagError } from '#runtime/flags/flags.ts';
import { allWell } from './check/all-well.ts';
import { readCommand } from './flags.ts';
import { stopOperators } from './stop.ts';

/** What the chart's hooks run: `check` is `helm test`, `stop` comes first in an uninstall. */
async function main(): Promise<number> {
  const { command, flags } = readCommand(process.argv.slice(2));
  const { kubeconfig, namespace, agentNamespace, timeout, dial } = flags;
  const client = KubeClient.load({ kubeconfig, userAgent: `careen-release/${command}` });
  const tell = (line: string): void => console.log(line);
  try {
    if (command === 'check') {
      const release = { client, namespace, agentNamespace, dial };
      return (await allWell(release, AbortSignal.timeout(timeout), tell)) ? 0 : 1;
    }
    await stopOperators(client, namespace, tell);
    return 0;
  } finally {
    await client.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isHelp = error instanceof FlagError && error.code === 'help';
  (isHelp ? process.stdout : process.stderr).write(`${(error as Error).message}\n`);
  process.exitCode = isHelp ? 0 : error instanceof FlagError ? 2 : 1;
}
