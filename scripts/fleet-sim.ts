import { setTimeout as sleep } from 'node:timers/promises';
import { FlagError, parseFlags } from '#runtime/flags/flags.ts';
import { fleetFlags, fleetOptions } from '#test/omaha/fleet/fleet-flags.ts';
import { Fleet } from '#test/omaha/fleet/fleet.ts';
import { renderReport } from '#test/omaha/fleet/render-report.ts';
import { interruption } from './interruption.ts';
import { endWithParent } from './parent.ts';

/** careen-fleet-sim: machines with update_engine, by the hundred, that poll an Omaha server. */

endWithParent();
const values = readFlags();
const fleet = new Fleet(fleetOptions(values)).start();
const deadline = performance.now() + values.duration;
const stopped = { by: undefined as NodeJS.Signals | undefined };
void interruption().then((signal) => (stopped.by = signal));

let reportAt = performance.now() + values.every;
while (stopped.by === undefined && performance.now() < deadline && !isThere()) {
  await sleep(100);
  if (performance.now() < reportAt) continue;
  tell();
  reportAt += values.every;
}
tell();
await fleet.stop();
process.exit(values.until !== undefined && !isThere() ? 1 : 0);

function isThere(): boolean {
  return values.until !== undefined && fleet.allRun(values.until);
}

function tell(): void {
  const report = fleet.report();
  console.log(values.output === 'json' ? JSON.stringify(report) : `${renderReport(report)}\n`);
}

function readFlags() {
  try {
    return parseFlags('npm run fleet-sim --', fleetFlags, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    (error.code === 'help' ? console.log : console.error)(error.message);
    process.exit(error.code === 'help' ? 0 : 2);
  }
}
