import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { builtWithGo, unlessWithoutGo } from '#test/cluster/binaries/built-with-go.ts';
import type { GoModule } from '#test/cluster/binaries/go-module.ts';
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

/** Both, or why they cannot be had. */
export async function findJudges(): Promise<{ argo: string; flux: string; skip: string | false }> {
  const found = await unlessWithoutGo(async () => ({
    argo: await builtWithGo(await moduleOf('argo'), 'argo'),
    flux: await builtWithGo(await moduleOf('flux'), 'flux'),
    skip: false as const,
  }));
  return { argo: '', flux: '', ...found };
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
