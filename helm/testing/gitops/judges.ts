import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { goBuild } from '#test/cluster/binaries/go-build.ts';
import { buildKey, type BinaryName, type GoModule } from '#test/cluster/binaries/go-module.ts';
import { ClusterError } from '#test/cluster/cluster-error.ts';
import { withLock } from '#test/cluster/binaries/lock.ts';
import type { KubeObject } from '#api/meta.ts';
import { run } from '#test/stack/kubectl.ts';

/** What a tool says of an object. */
export interface Health {
  status: string;
  message?: string;
}

/** A `healthCheckExprs` entry of a Flux Kustomization. */
export type HealthCheck = { apiVersion: string; kind: string } & Record<string, string>;

/** What Argo CD says of each object with these keys in argocd-cm, by its own code. */
export function argoHealth(
  program: string,
  config: Record<string, string>,
  objects: readonly KubeObject[],
): Promise<Health[]> {
  return judged(program, { config, objects });
}

/** What Flux says, by its own code; without `checks` by the rules of kstatus, which Helm goes by as well. */
export function fluxHealth(
  program: string,
  checks: readonly HealthCheck[],
  objects: readonly KubeObject[],
): Promise<Health[]> {
  return judged(program, { checks, objects });
}

/** Fails when a manifest of the tool's own kinds has a field that the tool does not know. */
export async function readManifests(program: string, manifests: readonly unknown[]): Promise<void> {
  await run(program, ['manifests'], JSON.stringify(manifests));
}

async function judged(program: string, input: object): Promise<Health[]> {
  const lines = (await run(program, [], JSON.stringify(input))).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Health);
}

/** Programs of the folders beside this file, which call the tools' own packages. */
export type Judge = 'argo' | 'flux';

const VERSIONED_BY = {
  argo: 'github.com/argoproj/argo-cd/v3',
  flux: 'github.com/fluxcd/pkg/runtime',
} as const;

/** Both, or why they cannot be had: no Go, where nobody publishes them. */
export async function findJudges(): Promise<{ argo: string; flux: string; skip: string | false }> {
  try {
    return { argo: await findJudge('argo'), flux: await findJudge('flux'), skip: false };
  } catch (error) {
    if (!(error instanceof ClusterError) || (await hasGo())) throw error;
    return { argo: '', flux: '', skip: error.message };
  }
}

function hasGo(): Promise<boolean> {
  return run('go', ['version']).then(
    () => true,
    () => false,
  );
}

/** The path of a judge, built with Go once and kept in the cache. */
async function findJudge(judge: Judge): Promise<string> {
  const module = await moduleOf(judge);
  const directory = path.join(cacheDirectory(), await buildKey(module));
  const program = path.join(directory, judge);
  if (await exists(program)) return program;
  await mkdir(directory, { recursive: true });
  await withLock(`${directory}.lock`, async () => {
    if (await exists(program)) return;
    await goBuild(module, judge as BinaryName, `${program}.new`, (line) => process.stderr.write(`${line}\n`));
    await rename(`${program}.new`, program);
  });
  return program;
}

async function moduleOf(judge: Judge): Promise<GoModule> {
  const directory = path.join(import.meta.dirname, judge);
  const source = createHash('sha256').update(await readFile(path.join(directory, 'main.go')));
  return {
    // What is built is in main.go, not only in go.mod.
    name: `gitops-${judge}-${source.digest('hex').slice(0, 8)}`,
    directory,
    packages: { [judge]: '.' },
    tags: '',
    variables: [],
    versionedBy: VERSIONED_BY[judge],
  };
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
