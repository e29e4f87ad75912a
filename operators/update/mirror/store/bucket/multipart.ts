import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';

/** An upload that has begun. */
export interface Upload {
  key: string;
  id: string;
  /** ms since the epoch. */
  begunAt: number;
}

/** A part that the server has. */
export interface Part {
  size: number;
  etag: string;
  /** SHA-256 in base64, if the server remembers it. */
  checksum: string | undefined;
}

/** Uploads in parts: nothing of them is an object until they are completed. All methods throw BucketError. */
export class Multipart {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async begin(key: string): Promise<string> {
    const begin = new CreateMultipartUploadCommand({ ...this.#bucket.at(key), ChecksumAlgorithm: 'SHA256' });
    const { UploadId = '' } = await this.#bucket.call((client) => client.send(begin));
    return UploadId;
  }

  /** Uploads of keys that begin so, the newest first; a thousand at most. */
  async begun(under: string): Promise<Upload[]> {
    const { Bucket, Key } = this.#bucket.at(under);
    const list = new ListMultipartUploadsCommand({ Bucket, Prefix: Key });
    const { Uploads = [] } = await this.#bucket.call((client) => client.send(list));
    return Uploads.map(({ Key: key, UploadId = '', Initiated }) => ({
      key: this.#bucket.below(key),
      id: UploadId,
      begunAt: Initiated?.getTime() ?? 0,
    })).toSorted((a, b) => b.begunAt - a.begunAt);
  }

  /** What the server has of an upload, by number. */
  async parts(key: string, id: string): Promise<Map<number, Part>> {
    const found = new Map<number, Part>();
    // Not the client's paginator: it goes by the marker alone, which servers also give with the last page.
    for (let more: string | undefined = '0'; more !== undefined;) {
      const page = new ListPartsCommand({ ...this.#bucket.at(key), UploadId: id, PartNumberMarker: more });
      const answer: ListPartsCommandOutput = await this.#bucket.call((client) => client.send(page));
      for (const { PartNumber = 0, Size = 0, ETag = '', ChecksumSHA256 } of answer.Parts ?? []) {
        found.set(PartNumber, { size: Size, etag: ETag, checksum: ChecksumSHA256 });
      }
      more = answer.IsTruncated === true ? answer.NextPartNumberMarker : undefined;
    }
    return found;
  }

  /** The server checks the part before it takes it; gives its ETag. */
  async put(
    { key, id }: Pick<Upload, 'key' | 'id'>,
    number: number,
    part: { body: Buffer; checksum: string },
    signal: AbortSignal,
  ): Promise<string> {
    const put = new UploadPartCommand({
      ...this.#bucket.at(key),
      UploadId: id,
      PartNumber: number,
      Body: part.body,
      ChecksumSHA256: part.checksum,
    });
    const { ETag = '' } = await this.#bucket.call(
      (client) => client.send(put, { abortSignal: signal }),
      signal,
    );
    return ETag;
  }

  /** Makes the object visible; gives its ETag. */
  async complete(
    { key, id }: Pick<Upload, 'key' | 'id'>,
    parts: readonly { etag: string; checksum: string }[],
    condition: { IfNoneMatch?: '*' } = {},
  ): Promise<string> {
    const complete = new CompleteMultipartUploadCommand({
      ...this.#bucket.at(key),
      ...condition,
      UploadId: id,
      MultipartUpload: {
        Parts: parts.map(({ etag, checksum }, index) => ({
          PartNumber: index + 1,
          ETag: etag,
          ChecksumSHA256: checksum,
        })),
      },
    });
    const { ETag = '' } = await this.#bucket.call((client) => client.send(complete));
    return ETag;
  }

  async abort({ key, id }: Pick<Upload, 'key' | 'id'>): Promise<void> {
    const abort = new AbortMultipartUploadCommand({ ...this.#bucket.at(key), UploadId: id });
    await this.#bucket.call((client) => client.send(abort));
  }
}
