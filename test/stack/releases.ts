import path from 'node:path';
import type { Build } from '#api/build.ts';
import { generateKey } from '#agent/payload/minisign.ts';
import { publishPayload } from '#agent/payload/publish.ts';
import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';
import type { OsImageBuilder } from './os-images.ts';

/** A release as an UpdateChannel declares it. */
export interface DeclaredRelease {
  version: string;
  payload: { manifest: string; sha256: string };
  /** For machines that ask over Omaha. */
  builds?: Build[];
}

/** Builds OS images, publishes them signed, and remembers what was declared. */
export class Releases {
  readonly declared: DeclaredRelease[] = [];
  readonly publicKey: string;
  readonly #secretKey: string;
  readonly #directory: string;
  readonly #build: OsImageBuilder;
  /** Where machines find what is in `root`; without a slash at its end. */
  baseURL = '';

  constructor(directory: string, build: OsImageBuilder) {
    const { publicKey, secretKey } = generateKey();
    this.publicKey = publicKey;
    this.#secretKey = secretKey;
    this.#directory = directory;
    this.#build = build;
  }

  get root(): string {
    return path.join(this.#directory, 'payloads');
  }

  /** Builds the image of a version that behaves as told, publishes it, and gives what a channel says of it. */
  async publish(version: string, behaviour: RealBehaviour = 'ok'): Promise<DeclaredRelease> {
    const image = await this.image(version, behaviour);
    const { sha256 } = await publishPayload({
      image,
      version,
      outDir: this.root,
      secretKey: this.#secretKey,
      level: 1, // what is compressed further is only the test's time
    });
    const release: DeclaredRelease = {
      version,
      payload: { manifest: `${this.baseURL}/${version}/manifest.json`, sha256 },
    };
    this.declared.push(release);
    return release;
  }

  /** The file system image of a version. */
  async image(version: string, behaviour: RealBehaviour = 'ok'): Promise<string> {
    const image = path.join(this.#directory, `os-${version}.img`);
    await this.#build({ path: image, version, behaviour });
    return image;
  }
}
