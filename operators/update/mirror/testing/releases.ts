import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey } from '#agent/payload/minisign.ts';
import { publishPayload } from '#agent/payload/publish.ts';
import type { WantedRelease } from '../plan/wanted.ts';
import { newUpdateKey, packageOf, rawCrau } from './crau.ts';

/** Releases of both kinds in a directory that a web server shows. For tests. */
export class ReleaseMaker {
  readonly updateKey = newUpdateKey();
  readonly minisign = generateKey();
  readonly #directory: string;
  readonly #url: string;

  constructor(directory: string, url: string) {
    this.#directory = directory;
    this.#url = url;
  }

  /** For update_engine: `packages` files of about `size` bytes. */
  async build(version: string, size = 300_000, packages = 1): Promise<WantedRelease> {
    const files = Array.from({ length: packages }, (_, index) => ({
      name: index === 0 ? 'update.gz' : `oem-${index}.gz`,
      bytes: rawCrau(randomBytes(size), [this.updateKey]),
    }));
    await mkdir(join(this.#directory, version), { recursive: true });
    for (const { name, bytes } of files) await writeFile(join(this.#directory, version, name), bytes);
    const entries = files.map(({ name, bytes }) => packageOf(name, bytes));
    const digest = Buffer.from(entries[0]?.sha256 ?? '', 'base64').toString('hex');
    const build = {
      architecture: 'amd64' as const,
      codebases: [`${this.#url}/${version}/`],
      packages: entries,
    };
    const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
    const keys = [this.updateKey.pem];
    return { version, variant: 'amd64', digest, bytes, rank: 0, from: { build }, keys };
  }

  /** For the careen agent. */
  async payload(version: string, size = 300_000): Promise<WantedRelease> {
    const image = join(this.#directory, `${version}.img`);
    await writeFile(image, randomBytes(size));
    const { secretKey, publicKey } = this.minisign;
    await publishPayload({ image, version, outDir: this.#directory, secretKey, level: 1, chunkSize: 65_536 });
    const payload = { manifest: `${this.#url}/${version}/manifest.json` };
    const rest = { digest: undefined, bytes: undefined, rank: 0, keys: [publicKey] };
    return { version, variant: 'careen', from: { payload }, ...rest };
  }
}
