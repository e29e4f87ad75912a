import { text } from 'node:stream/consumers';
import { ClusterError } from '../cluster-error.ts';
import { guarded, guardedDirectory } from '../guardian.ts';
import { linkerFlags, pinnedVersion, type BinaryName, type GoModule } from './go-module.ts';

const tellEveryMs = 10_000;

/**
 * Builds one program of `module` to the file `target` with the Go tool chain.
 * @throws ClusterError BinaryMissing with what Go said
 */
export async function goBuild(
  module: GoModule,
  name: BinaryName,
  target: string,
  progress: (line: string) => void,
): Promise<void> {
  const began = performance.now();
  const seconds = () => `${Math.round((performance.now() - began) / 1000)} s`;
  progress(`building ${name} with Go`);
  const timer = setInterval(() => progress(`building ${name}: ${seconds()} so far`), tellEveryMs);
  try {
    await run(module, name, target);
  } finally {
    clearInterval(timer);
  }
  progress(`built ${name} in ${seconds()}`);
}

async function run(module: GoModule, name: BinaryName, target: string): Promise<void> {
  const flags = linkerFlags(module, await pinnedVersion(module));
  const args = ['build', '-trimpath', '-tags', module.tags, '-ldflags', flags, '-o', target];
  const temporary = await guardedDirectory('careen-build-'); // Go leaves its own behind when it is killed
  const env = {
    ...process.env,
    CGO_ENABLED: module.cgo ? '1' : '0',
    GOFLAGS: '-mod=readonly',
    GOTMPDIR: temporary.path,
  };
  const options = { cwd: module.directory, env, stderr: 'pipe', within: temporary.cleanup } as const;
  const go = await guarded('go', [...args, module.packages[name] ?? name], options);
  const [said, status] = await Promise.all([go.stderr === null ? '' : text(go.stderr), go.exited]);
  await temporary.remove();
  if (status !== 0) throw new ClusterError('BinaryMissing', advice(module, name, status, said));
}

function advice(module: GoModule, name: BinaryName, status: number, said: string): string {
  const what =
    status === 127
      ? `${name} has to be built, but there is no Go tool chain`
      : `${name} could not be built:\n${said.trimEnd().split('\n').slice(-15).join('\n')}`;
  const libraries = module.cgo === undefined ? '' : ` with ${module.cgo.needs}`;
  return (
    `${what}\nInstall Go 1.26 or later (https://go.dev/dl)${libraries} and see that its module proxy can be ` +
    `reached, or set KUBEBUILDER_ASSETS to a directory that holds ${name} and the other programs of a cluster.`
  );
}
