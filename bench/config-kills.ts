import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/*
 * A change of twenty files, killed before every single call on the disk, and 1 000 times by SIGKILL at any moment:
 * after a restart all is old or all is new. Needs root. Run: node bench/config-kills.ts
 */
const test = join(import.meta.dirname, '../agent/config/transaction/kill.integration.test.ts');
const { status } = spawnSync(process.execPath, ['--test', test], {
  stdio: 'inherit',
  env: { ...process.env, CAREEN_EVERY_KILL: '1' },
});
process.exitCode = status ?? 1;
