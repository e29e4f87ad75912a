/**
 * Writes the CustomResourceDefinitions and the reference from api/, deploy/ from the chart, and which tests try which
 * fault. `--check`
 * writes nothing, says what differs and fails when something does; it leaves out what needs Helm, which has a test.
 */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GENERATED_FOLDERS, generatedFiles } from '#api/crd/generated-files.ts';
import { findTools } from '#test/cluster/binaries/binaries.ts';
import { faultTable, FAULTS } from './fault-table.ts';
import { generatePlainFiles } from '../helm/plain/generate.ts';

const ROOT = join(import.meta.dirname, '..');

/** One line for every file that is not as it would be generated; empty when all are. */
export async function drift(root = ROOT): Promise<string[]> {
  const wanted = await allFiles(root);
  const faults = (await strangers(root, wanted)).map((path) => `${path}: nothing generates it`);
  for (const [path, content] of wanted) {
    const found = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (found === undefined) faults.push(`${path}: missing`);
    else if (found !== content) faults.push(`${path}: ${difference(found, content)}`);
  }
  return faults;
}

export async function generate(root = ROOT): Promise<void> {
  const wanted = await allFiles(root);
  for (const path of await strangers(root, wanted)) await rm(join(root, path));
  for (const [path, content] of wanted) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function allFiles(root: string): Promise<Map<string, string>> {
  const files = await generatedFiles();
  const table = await faultTable(root);
  return table === undefined ? files : files.set(FAULTS, table);
}

async function strangers(root: string, wanted: ReadonlyMap<string, string>): Promise<string[]> {
  const found: string[] = [];
  for (const folder of GENERATED_FOLDERS) {
    const names = await readdir(join(root, folder)).catch(() => []);
    found.push(...names.map((name) => `${folder}/${name}`));
  }
  return found.filter((path) => !wanted.has(path));
}

function difference(found: string, wanted: string): string {
  const [left, right] = [found.split('\n'), wanted.split('\n')];
  const first = right.findIndex((line, index) => line !== left[index]);
  const at = first < 0 ? right.length : first;
  return `line ${at + 1} is\n    ${left[at] ?? '(end)'}\n  and would be\n    ${right[at] ?? '(end)'}`;
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const faults = await drift();
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) console.error('Run `npm run generate` and commit the result.');
    process.exitCode = faults.length === 0 ? 0 : 1;
  } else {
    await generate();
    const { helm } = await findTools();
    await generatePlainFiles(helm);
  }
}
