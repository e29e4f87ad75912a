import { glob } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { interruption } from './interruption.ts';
import { endWithParent } from './parent.ts';
import { plan } from './test/plan.ts';
import { runStage, type StageResult } from './test/run-stage.ts';
import { newSeed } from './test/seed.ts';
import { checks, tests, type Stage } from './test/stage.ts';
import { duration, sum } from './test/tally.ts';
import { root } from './tool.ts';

const HELP = `npm test                      all but the slow kinds: e2e, nodes, config-nodes
npm test static               format, lint, types and generated files (or one of these by its name)
npm test unit                 likewise: integration, e2e, nodes, config-nodes
npm test <path>...            the tests of a file or of a folder
npm test -- --kubeconfig F    on the cluster of that kubeconfig instead of one of our own
npm test -- --times N         the unit tests (or what is named) N times over, each time with another seed
CAREEN_SEED=S npm test ...    with that seed for what is chosen at random
npm run soak                  20 times over
`;

async function stagesFor(words: readonly string[], directory: string): Promise<Stage[]> {
  const found = await Array.fromAsync(glob('**/*.test.ts', { cwd: root, exclude: ['node_modules', 'dist'] }));
  const available = checks();
  const asked = plan(
    words.map((word) => path.relative(root, path.resolve(word))),
    available.map(({ name }) => name),
    found,
  );
  if (asked.unknown.length > 0) throw new Error(`no tests at ${asked.unknown.join(', ')}\n\n${HELP}`);
  return [
    ...available.filter(({ name }) => asked.checks.includes(name)),
    ...asked.tests.map(({ kind, files }) => tests(kind, files, directory)),
  ];
}

function summary(results: readonly StageResult[]): string {
  const total = sum(results.map(({ tally }) => tally));
  const lines = results.map(({ name, tally, ms }) => {
    const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
    return `${name.padEnd(12)} ${duration(ms).padStart(12)}   ${tally.passed} passed, ${tally.failed} failed${skipped}`;
  });
  const failures = total.failures.map((failure) => `failed: ${failure}`);
  const all = `${total.passed} passed, ${total.failed} failed`;
  return ['', '═'.repeat(80), ...lines, ...failures, '', all].join('\n');
}

/** The stages one after the other; `times` over if that is told, each time with another seed. */
async function runAll(stages: readonly Stage[], times: number | undefined): Promise<StageResult[]> {
  const results: StageResult[] = [];
  for (let round = 0; round < (times ?? 1); round++) {
    const seed = times === undefined ? undefined : String(newSeed());
    if (seed !== undefined) process.env['CAREEN_SEED'] = seed;
    for (const stage of stages)
      results.push(await runStage(seed === undefined ? stage : seeded(stage, seed)));
  }
  return results;
}

function count(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error(`--times ${text} is no number of times\n\n${HELP}`);
}

function seeded(stage: Stage, seed: string): Stage {
  return { ...stage, name: `${stage.name}, seed ${seed}` };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kubeconfig: { type: 'string' },
      times: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.kubeconfig !== undefined) process.env['CAREEN_KUBECONFIG'] = path.resolve(values.kubeconfig);
  const directory = await guardedDirectory('careen-test-');
  const times = values.times === undefined ? undefined : count(values.times);
  const words = times !== undefined && positionals.length === 0 ? ['unit'] : positionals;
  const results = await runAll(await stagesFor(words, directory.path), times);
  await directory.remove();
  console.log(summary(results));
  return results.every(({ tally }) => tally.failed === 0) ? 0 : 1;
}

endWithParent();
// A stage that runs then ends with us: it is guarded.
void interruption().then(() => process.exit(130));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
