import path from 'node:path';
import { generateKey } from '#agent/payload/minisign.ts';
import { publishPayload } from '#agent/payload/publish.ts';
import { buildOsImage, type Behaviour } from '#test/machine/os-image.ts';

/** A release as an UpdateChannel declares it. */
export interface DeclaredRelease {
  version: string;
  payload: { manifest: string; sha256: string };
}

/** Builds OS images, publishes them signed, and remembers what was declared. */
export class Releases {
  readonly declared: DeclaredRelease[] = [];
  readonly publicKey: string;
  readonly #secretKey: string;
  readonly #directory: string;
  readonly #baseURL: () => string;

  constructor(directory: string, baseURL: () => string) {
    const { publicKey, secretKey } = generateKey();
    this.publicKey = publicKey;
    this.#secretKey = secretKey;
    this.#directory = directory;
    this.#baseURL = baseURL;
  }

  get root(): string {
    return path.join(this.#directory, 'payloads');
  }

  /** Builds the image of a version that behaves as told, publishes it, and gives what a channel says of it. */
  async publish(version: string, behaviour: Behaviour = 'ok'): Promise<DeclaredRelease> {
    const image = await this.image(version, behaviour);
    const { sha256 } = await publishPayload({
      image,
      version,
      outDir: this.root,
      secretKey: this.#secretKey,
    });
    const release = { version, payload: { manifest: `${this.#baseURL()}/${version}/manifest.json`, sha256 } };
    this.declared.push(release);
    return release;
  }

  /** The file system image of a version. */
  async image(version: string, behaviour: Behaviour = 'ok'): Promise<string> {
    const image = path.join(this.#directory, `os-${version}.img`);
    await buildOsImage({ path: image, version, behaviour });
    return image;
  }
}
