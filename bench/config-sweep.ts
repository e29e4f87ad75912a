import { parseArgs } from 'node:util';
import { StatCache } from '#agent/config/drift/stat-cache.ts';
import { sweep } from '#agent/config/drift/sweep.ts';
import { documentOf, file } from '#agent/config/testing/document.ts';
import { TestHost } from '#agent/config/testing/host.ts';

/*
 * What the agent's look at every managed file costs, 2 000 files of 4 KB: the first, which reads them all, and those
 * every five minutes after it, which read what has changed. Run: node bench/config-sweep.ts [--files N]
 */

const RUNS = 10;
const MINUTE_MS = 60_000;
const { values } = parseArgs({ options: { files: { type: 'string', default: '2000' } } });
const count = Number(values.files);

interface Cost {
  wallMs: number;
  cpuMs: number;
}

async function costOf(task: () => Promise<unknown>): Promise<Cost> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await task();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

function show(what: string, { wallMs, cpuMs }: Cost): void {
  console.log(
    `${what.padEnd(34)} ${wallMs.toFixed(0).padStart(6)} ms   ${cpuMs.toFixed(0).padStart(6)} ms of CPU`,
  );
}

await using host = await TestHost.make();
const files = Array.from({ length: count }, (_, index) =>
  file(`/etc/app/${index % 40}/${index}.conf`, `${index} `.repeat(800)),
);
const document = documentOf({ files });
const hostFiles = host.files();
show(
  `applying ${count} files`,
  await costOf(async () => {
    const plan = await hostFiles.plan(document);
    const transaction = await hostFiles.prepare({ document, plan, meta: {} });
    await transaction.switch();
    await transaction.keep();
  }),
);
const { owned } = await hostFiles.applied();
// A minute later: nothing was written just now.
const cache = new StatCache(() => Date.now() + MINUTE_MS);
const look = async () => {
  const found = await sweep(host.tree, owned, cache);
  cache.turn();
  if (found.length > 0) throw new Error(`${found.length} files differ`);
};
show('the first sweep', await costOf(look));
const costs: Cost[] = [];
for (let run = 0; run < RUNS; run++) costs.push(await costOf(look));
const median = costs.toSorted((a, b) => a.cpuMs - b.cpuMs)[RUNS / 2];
if (median !== undefined) {
  show(`a sweep later (median of ${RUNS})`, median);
  const share = ((100 * median.cpuMs) / (5 * MINUTE_MS)).toFixed(3);
  console.log(`every five minutes: ${share} % of one CPU`);
}
