import { build, type BuildOptions, type Metafile } from 'esbuild';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { endWithParent } from './parent.ts';
import { root } from './tool.ts';

/** The programs that are shipped, each as one file `dist/<name>.mjs`. */
const entries = {
  agent: 'agent/main.ts',
  update: 'operators/update/main.ts',
  mirror: 'operators/update/mirror/main.ts',
  'node-config': 'operators/node-config/main.ts',
  'reboot-lock': 'operators/reboot-lock/main.ts',
  check: 'helm/check/main.ts',
  'kubectl-careen': 'cli/main.ts',
} as const;

/** A bundle that was written. */
export interface Bundle {
  /** Its path. */
  file: string;
  bytes: number;
  /** The files whose code is in it, from the root of the repository. */
  inputs: string[];
  /** Modules that it loads when it runs: Node's own, and what a package only tries. */
  loads: string[];
}

/** A program has no main.ts. */
export class MissingEntryError extends Error {
  constructor(missing: readonly string[]) {
    super(`cannot bundle: ${missing.join(', ')} does not exist`);
    this.name = 'MissingEntryError';
  }
}

const settings = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  absWorkingDir: root,
  target: 'node26',
  // Names stay: they are in stack traces and in logs. The rest of the white space is memory for nothing.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'external',
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS packages call require(), which an ES module does not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
} as const satisfies BuildOptions;

/**
 * Bundles the programs into `directory` (default: dist). Each file is replaced at once, so that programs may be
 * started from there meanwhile.
 * @throws MissingEntryError after the programs that exist were bundled
 */
export async function buildBundles(directory = path.join(root, 'dist')): Promise<Bundle[]> {
  const present = Object.entries(entries).filter(([, entry]) => existsSync(path.join(root, entry)));
  const { outputFiles, metafile } = await build({
    ...settings,
    metafile: true,
    entryPoints: Object.fromEntries(present),
    outdir: directory,
    write: false,
  });
  await mkdir(directory, { recursive: true });
  for (const { path: file, contents } of outputFiles) await replace(file, contents);
  const missing = Object.values(entries).filter((entry) => !present.some(([, found]) => found === entry));
  if (missing.length > 0) throw new MissingEntryError(missing);
  return outputFiles
    .filter((file) => file.path.endsWith('.mjs'))
    .map(({ path: file, contents }) => {
      const { inputs = {}, imports = [] } = metafile.outputs[path.relative(root, file)] ?? {};
      return { file, bytes: contents.byteLength, inputs: usedInputs(inputs), loads: external(imports) };
    });
}

type Output = Metafile['outputs'][string];

/** Only what was not shaken out of the tree. */
function usedInputs(inputs: Output['inputs']): string[] {
  return Object.keys(inputs).filter((input) => (inputs[input]?.bytesInOutput ?? 0) > 0);
}

function external(imports: Output['imports']): string[] {
  return [...new Set(imports.map((module) => module.path))].toSorted();
}

async function replace(file: string, contents: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

if (import.meta.main) {
  endWithParent();
  const began = performance.now();
  for (const { file, bytes } of await buildBundles()) {
    console.log(`${path.relative(root, file)}  ${(bytes / 1024).toFixed(0)} KiB`);
  }
  console.log(`built in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
