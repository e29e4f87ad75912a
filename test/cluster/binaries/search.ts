import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from './cache.ts';
import { download, releaseOf, type Release, type Versions } from './download.ts';
import { helmOnPath, isExecutable } from './found-helm.ts';
import { goBuild } from './go-build.ts';
import {
  buildKey,
  helm,
  kubernetes,
  moduleOf,
  pinnedVersion,
  runc,
  type BinaryName,
  type GoModule,
} from './go-module.ts';
import { withLock } from './lock.ts';

/** The ways of getting a program that take long; tests put others in their place. */
export interface Makers {
  release: (name: BinaryName) => Promise<Release | undefined>;
  download: (release: Release, target: string) => Promise<void>;
  build: typeof goBuild;
}

/** Where to look, and whom to tell. */
export interface SearchOptions {
  /** Gets a line for each long step. Default: standard error. */
  progress?: ((line: string) => void) | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  makers?: Makers | undefined;
}

/**
 * Finds programs, one after the other; the first source that has one is taken, for each by itself:
 * KUBEBUILDER_ASSETS; the cache; for Helm the search path; the official release (unless CAREEN_DOWNLOAD is
 * `never`); a build with Go. What was downloaded or built is in the cache from then on.
 */
export class Search {
  readonly #env: NodeJS.ProcessEnv;
  readonly #progress: (line: string) => void;
  readonly #makers: Makers;
  #offline = false;

  constructor(options: SearchOptions) {
    this.#env = options.env ?? process.env;
    this.#progress = options.progress ?? ((line) => process.stderr.write(`${line}\n`));
    this.#makers = options.makers ?? { release: pinnedRelease, download, build: goBuild };
  }

  /**
   * The path of a program.
   * @throws ClusterError BinaryMissing
   */
  async find(name: BinaryName): Promise<string> {
    const assets = this.#env['KUBEBUILDER_ASSETS'];
    if (assets !== undefined && assets !== '' && (await isExecutable(path.join(assets, name)))) {
      return path.join(assets, name);
    }
    const module = moduleOf(name);
    const cached = path.join(cacheDirectory(this.#env), await buildKey(module), name);
    if (await isExecutable(cached)) return cached;
    return (
      (name === 'helm' ? await helmOnPath(this.#env) : undefined) ?? (await this.#make(module, name, cached))
    );
  }

  async #make(module: GoModule, name: BinaryName, cached: string): Promise<string> {
    const directory = path.dirname(cached);
    await mkdir(directory, { recursive: true });
    const make = async () => {
      if (await isExecutable(cached)) return; // made by another process while we waited
      await removeLeftovers(directory);
      const temporary = path.join(directory, `.${name}-${randomUUID()}`);
      try {
        await this.#makeAt(module, name, temporary);
        await rename(temporary, cached);
      } finally {
        await rm(temporary, { force: true });
      }
    };
    const waiting = (owner: string) => this.#progress(`waiting for process ${owner}, which makes ${name}`);
    await withLock(`${directory}.lock`, make, { waiting });
    return cached;
  }

  async #makeAt(module: GoModule, name: BinaryName, target: string): Promise<void> {
    const release = this.#mayDownload() ? await this.#makers.release(name) : undefined;
    if (release !== undefined && (await this.#downloaded(name, release, target))) return;
    await this.#makers.build(module, name, target, this.#progress);
  }

  #mayDownload(): boolean {
    return !this.#offline && this.#env['CAREEN_DOWNLOAD'] !== 'never';
  }

  /** One failure is taken for being offline: the rest is built without asking again. */
  async #downloaded(name: BinaryName, release: Release, target: string): Promise<boolean> {
    this.#progress(`downloading ${name} from ${release.url}`);
    try {
      await this.#makers.download(release, target);
      return true;
    } catch (error) {
      this.#offline = true;
      this.#progress(`no download of ${name} (${reason(error)})`);
      return false;
    }
  }
}

/** What a build that was killed has left; nobody else builds here while we hold the lock. */
async function removeLeftovers(directory: string): Promise<void> {
  const leftovers = (await readdir(directory)).filter((name) => name.startsWith('.'));
  await Promise.all(leftovers.map((name) => rm(path.join(directory, name), { force: true })));
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function pinnedRelease(name: BinaryName): Promise<Release | undefined> {
  const versions: Versions = {
    kubernetes: await pinnedVersion(kubernetes),
    etcd: await pinnedVersion(kubernetes, 'go.etcd.io/etcd/server/v3'),
    helm: await pinnedVersion(helm),
    runc: await pinnedVersion(runc),
  };
  return releaseOf(name, versions);
}
