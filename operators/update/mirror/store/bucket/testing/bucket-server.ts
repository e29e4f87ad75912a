import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { builtWithGo, unlessWithoutGo } from '#test/cluster/binaries/built-with-go.ts';
import type { GoModule } from '#test/cluster/binaries/go-module.ts';
import { guarded, type GuardedDirectory, type GuardedProcess } from '#test/cluster/guardian.ts';
import { Authority } from '#test/cluster/pki.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import type { BucketPlace } from '../open-bucket.ts';

const PROGRAM: string = 'versitygw';

const versitygw: GoModule = {
  name: 'versitygw',
  directory: path.join(import.meta.dirname, 'versitygw'),
  packages: { [PROGRAM]: 'github.com/versity/versitygw/cmd/versitygw' },
  tags: '',
  variables: ['main.Version=$version'],
  versionedBy: 'github.com/versity/versitygw',
};

export const ACCESS_KEY = 'AKIACAREENTEST';
export const SECRET_KEY = 'a-secret-that-no-log-has';

/** The path of versitygw, a server that speaks S3, or why it cannot be had. */
export function findBucketServer(): Promise<{ program: string; skip: false } | { skip: string }> {
  return unlessWithoutGo(async () => ({
    program: await builtWithGo(versitygw, PROGRAM),
    skip: false as const,
  }));
}

/** An S3 server of our own that keeps its objects as files. */
export class BucketServer {
  readonly port: number;
  readonly #program: string;
  readonly #directory: GuardedDirectory;
  #process: GuardedProcess | undefined;
  /** Of the authority that signed its certificate; nothing while it speaks plain HTTP. */
  #ca: string | undefined;

  private constructor(program: string, directory: GuardedDirectory, port: number) {
    this.#program = program;
    this.#directory = directory;
    this.port = port;
  }

  static async start(program: string, directory: GuardedDirectory): Promise<BucketServer> {
    const server = new BucketServer(program, directory, await freePort());
    for (const part of ['objects', 'metadata', 'credentials']) await mkdir(server.#path(part));
    await server.credentials(ACCESS_KEY, SECRET_KEY);
    await server.start();
    return server;
  }

  /** With a certificate of an authority that nobody knows, if `tls`. */
  async start(tls = false): Promise<void> {
    const certificate = tls ? await this.#certificate() : [];
    const posix = ['posix', '--sidecar', this.#path('metadata'), this.#path('objects')];
    const args = ['--port', `127.0.0.1:${this.port}`, '--health', '/health', '--quiet', ...certificate];
    const env = { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY };
    const options = { env, within: this.#directory.cleanup, graceMs: 0 };
    this.#process = await guarded(this.#program, [...args, ...posix], options);
    if (tls) return;
    const answers = () => fetch(`${this.url}/health`).then(({ ok }) => ok);
    await until('the S3 server answers', answers, { timeoutMs: 180_000 });
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  get url(): string {
    return `${this.#ca === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** A new bucket, and how to reach it; `endpoint` is that of something in between. */
  async bucket(name: string, endpoint?: string): Promise<BucketPlace> {
    const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
    const client = new S3Client({
      endpoint: this.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    client.destroy();
    return this.place(name, endpoint);
  }

  place(name: string, endpoint = this.url): BucketPlace {
    return {
      bucket: name,
      prefix: 'careen/',
      region: 'us-east-1',
      endpoint,
      pathStyle: true,
      credentials: this.#path('credentials'),
      ca: this.#ca,
    };
  }

  /** The file that an object is, to be broken behind the server's back. */
  file(bucket: string, key: string): string {
    return this.#path('objects', bucket, 'careen', key);
  }

  /** What clients say who they are. */
  async credentials(accessKey: string, secretKey: string): Promise<void> {
    await writeFile(this.#path('credentials', 'access-key-id'), `${accessKey}\n`);
    await writeFile(this.#path('credentials', 'secret-access-key'), `${secretKey}\n`);
  }

  async #certificate(): Promise<string[]> {
    const authority = await Authority.create('of the bucket');
    const { cert, key } = await authority.issueServer({ dns: [], ip: ['127.0.0.1'] });
    const [certFile, keyFile] = [this.#path('tls.crt'), this.#path('tls.key')];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    this.#ca = this.#path('ca.crt');
    await writeFile(this.#ca, authority.certPem);
    return ['--cert', certFile, '--key', keyFile];
  }

  #path(...parts: string[]): string {
    return path.join(this.#directory.path, ...parts);
  }
}
