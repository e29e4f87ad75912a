import { KubeClient } from '#runtime/client/client.ts';
import { FlagError, parseFlags } from '#runtime/flags/flags.ts';
import { allWell, checksOf } from './all-well.ts';
import { CHECK_FLAGS } from './flags.ts';

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What `helm test` runs: looks at a release and ends with 0 when all of it is well. */
async function main(): Promise<number> {
  const { kubeconfig, timeout, nodeConfig, mirror, omaha, ...where } = parseFlags(
    'careen-check',
    CHECK_FLAGS,
    process.argv.slice(2),
  );
  const client = KubeClient.load({ kubeconfig, userAgent: 'careen-check' });
  try {
    const checks = checksOf({ nodeConfig, mirror, omaha });
    return (await allWell({ client, ...where }, AbortSignal.timeout(timeout), tell, checks)) ? 0 : 1;
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
