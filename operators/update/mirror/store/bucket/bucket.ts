import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { BucketError, bucketError, foundIn } from './bucket-error.ts';

/** An object as a listing has it. Keys are below the prefix. */
export interface Listed {
  key: string;
  size: number;
  etag: string;
}

/** An object as the server knows it; the checksum is of its SHA-256, or of those of its parts, in base64. */
export interface Known extends Omit<Listed, 'key'> {
  checksum: string | undefined;
}

/** What is below a prefix of a bucket, and nothing else of it. All methods throw BucketError. */
export class Bucket {
  readonly name: string;
  /** For messages. */
  readonly where: string;
  readonly #client: S3Client;
  readonly #prefix: string;

  constructor(client: S3Client, name: string, prefix: string, where: string) {
    this.#client = client;
    this.name = name;
    this.#prefix = prefix;
    this.where = where;
  }

  /** What a request says about an object. */
  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: `${this.#prefix}${key}` };
  }

  /** The key below the prefix. */
  below(key = ''): string {
    return key.slice(this.#prefix.length);
  }

  async call<T>(act: (client: S3Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await act(this.#client);
    } catch (error) {
      signal?.throwIfAborted();
      throw bucketError(error, this.where);
    }
  }

  async list(under: string): Promise<Listed[]> {
    const all = { Bucket: this.name, Prefix: `${this.#prefix}${under}` };
    return this.call(async (client) => {
      const listed: Listed[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, all)) {
        for (const { Key, Size = 0, ETag = '' } of Contents) {
          listed.push({ key: this.below(Key), size: Size, etag: ETag });
        }
      }
      return listed;
    });
  }

  /** Nothing when it is not there. */
  async know(key: string): Promise<Known | undefined> {
    const head = new HeadObjectCommand({ ...this.at(key), ChecksumMode: 'ENABLED' });
    const answer = await this.call((client) => client.send(head)).catch(unlessMissing);
    if (answer === undefined) return undefined;
    const { ContentLength, ETag, ChecksumSHA256 } = answer;
    return { size: ContentLength ?? 0, etag: ETag ?? '', checksum: ChecksumSHA256 };
  }

  /** Nothing when it is not there. Refused when it is larger than `limit` bytes. */
  async bytes(key: string, limit: number): Promise<Buffer | undefined> {
    const answer = await this.call((client) => client.send(new GetObjectCommand(this.at(key)))).catch(
      unlessMissing,
    );
    if (answer === undefined) return undefined;
    const body = answer.Body as Readable;
    if ((answer.ContentLength ?? Infinity) > limit) {
      body.destroy();
      throw foundIn('Refused', this.where, `${key} is larger than ${limit} bytes`);
    }
    return this.call(async () => Buffer.concat(await body.toArray()));
  }

  /** Bytes [start, end) of the object that has this ETag; of any, without one. */
  async read(key: string, start: number, end: number, etag?: string): Promise<Readable> {
    const range = { ...this.at(key), Range: `bytes=${start}-${end - 1}` };
    const condition = etag === undefined ? {} : { IfMatch: etag };
    const answer = await this.call((client) => client.send(new GetObjectCommand({ ...range, ...condition })));
    const body = answer.Body as Readable;
    if (answer.ContentLength === end - start) return body;
    body.destroy();
    throw foundIn('Changed', this.where, `${key} gave ${answer.ContentLength} bytes for ${end - start}`);
  }

  /** Stores an object as a whole, after the server has checked it; gives its ETag. */
  async put(key: string, body: Buffer, condition: { IfNoneMatch?: '*' } = {}): Promise<string> {
    const object = { ...this.at(key), Body: body, ChecksumSHA256: hash('sha256', body, 'base64') };
    const answer = await this.call((client) =>
      client.send(new PutObjectCommand({ ...object, ...condition })),
    );
    return answer.ETag ?? '';
  }

  /** It may be gone already. */
  async remove(key: string): Promise<void> {
    await this.call((client) => client.send(new DeleteObjectCommand(this.at(key)))).catch(unlessMissing);
  }

  close(): void {
    this.#client.destroy();
  }
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof BucketError && error.code === 'Missing')) throw error;
}
