/**
 * What a test file needs: nothing, parts such as the control plane, the whole system on simulated machines, the
 * whole system on real nodes, or configuration on real nodes. Quick ones first.
 */
export const testKinds = ['unit', 'integration', 'e2e', 'nodes', 'config-nodes'] as const;

/** One of them. */
export type TestKind = (typeof testKinds)[number];

/** Slow kinds have a command of their own. */
export const slowKinds: readonly TestKind[] = ['e2e', 'nodes', 'config-nodes'];

/** Tells the kind of a test file by its name; nothing for a file that is no test. */
export function kindOf(file: string): TestKind | undefined {
  if (!file.endsWith('.test.ts')) return undefined;
  if (/\.(e2e|chaos)\.test\.ts$/.test(file)) return 'e2e';
  if (file.endsWith('.nodes.test.ts')) return 'nodes';
  if (file.endsWith('.config-nodes.test.ts')) return 'config-nodes';
  return file.endsWith('.integration.test.ts') ? 'integration' : 'unit';
}

/** The test files among `files` that are of `kind`, in a steady order. */
export function filesOfKind(files: readonly string[], kind: TestKind): string[] {
  return files.filter((file) => kindOf(file) === kind).toSorted();
}

/** The files that a path of the command line means: itself, or all below it. */
export function filesAt(files: readonly string[], path: string): string[] {
  const clean = path.replace(/^\.\//, '').replace(/\/+$/, '');
  return files.filter((file) => file === clean || file.startsWith(`${clean}/`));
}
