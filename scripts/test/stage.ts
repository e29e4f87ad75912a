import path from 'node:path';
import { findBinaries } from '#test/cluster/binaries/binaries.ts';
import { findNodeParts } from '#test/machine/real/parts/find-node-parts.ts';
import { osTree } from '#test/machine/real/parts/os-tree.ts';
import { root, tool } from '../tool.ts';
import type { TestKind } from './kind.ts';
import { longestFirst } from './longest-first.ts';

/** One step of `npm test`: a command whose exit status counts, and for tests where they are tallied. */
export interface Stage {
  name: string;
  command: readonly [command: string, args: readonly string[]];
  /** What to do when it fails. */
  remedy?: string | undefined;
  /** A stage of tests leaves its tally here; another counts as one check. */
  tally?: string | undefined;
  /** Makes what takes minutes on a fresh machine, so that no test's time limit counts it. */
  prepare?: (progress: (line: string) => void) => Promise<unknown>;
}

/**
 * Limits of each kind: files at once on two cores, and minutes after which a file is given up. An integration test
 * mostly waits, for a lease that ends or a pace that is kept, so that a third file has the cores meanwhile.
 */
const limits: Record<TestKind, { concurrency: number; minutes: number }> = {
  unit: { concurrency: 2, minutes: 20 },
  integration: { concurrency: 3, minutes: 20 },
  e2e: { concurrency: 2, minutes: 20 },
  // Nodes that boot leave the processors to others for much of their time.
  nodes: { concurrency: 3, minutes: 30 },
  'config-nodes': { concurrency: 2, minutes: 30 },
};

const preparations: Record<TestKind, NonNullable<Stage['prepare']>> = {
  unit: () => Promise.resolve(),
  integration: (progress) => findBinaries({ progress }),
  e2e: (progress) => findBinaries({ progress }),
  nodes: prepareNodes,
  'config-nodes': prepareNodes,
};

async function prepareNodes(progress: (line: string) => void): Promise<void> {
  await findBinaries({ progress });
  await findNodeParts('bookworm', { progress });
  await osTree('trixie', { progress });
}

const prettierCache = ['--cache', '--cache-strategy=content'];

/** What needs no test runner. */
export function checks(): Stage[] {
  return [
    check(
      'format',
      tool('prettier', [...prettierCache, '--check', '--log-level=warn', '.']),
      'npm run format',
    ),
    check('lint', tool('oxlint', ['--type-aware', '--quiet'])),
    check('types', tool('tsc', ['--noEmit'])),
    check('generated', [process.execPath, ['scripts/generate.ts', '--check']], 'npm run generate'),
  ];
}

function check(name: string, command: Stage['command'], remedy?: string): Stage {
  return { name, command, remedy };
}

/** The tests of one kind in `files`; `directory` takes the tally. */
export function tests(kind: TestKind, files: readonly string[], directory: string): Stage {
  const { concurrency, minutes } = limits[kind];
  const tally = path.join(directory, `${kind}.json`);
  const args = [
    path.join(root, 'scripts/test/run-files.ts'),
    `--concurrency=${concurrency}`,
    `--timeout-ms=${minutes * 60_000}`,
    `--tally=${tally}`,
    ...longestFirst(files),
  ];
  return { name: kind, command: [process.execPath, args], tally, prepare: preparations[kind] };
}
