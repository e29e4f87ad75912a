import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { BucketServer } from './bucket-server.ts';
import { FaultProxy } from './fault-proxy.ts';
import { newBucket, type BucketUnderTest } from './new-bucket.ts';

/** A server, something that breaks what goes to it, and buckets whose requests all go through that. */
export class BucketGround {
  readonly root: GuardedDirectory;
  readonly server: BucketServer;
  readonly proxy: FaultProxy;
  readonly #made: BucketUnderTest[] = [];

  private constructor(root: GuardedDirectory, server: BucketServer, proxy: FaultProxy) {
    this.root = root;
    this.server = server;
    this.proxy = proxy;
  }

  static async start(program: string): Promise<BucketGround> {
    const root = await guardedDirectory('careen-bucket-');
    const server = await BucketServer.start(program, root);
    return new BucketGround(root, server, await FaultProxy.start(server.port));
  }

  async bucket(): Promise<BucketUnderTest> {
    const one = await newBucket(this.server, this.root.path, this.proxy.url);
    this.#made.push(one);
    return one;
  }

  /** Nothing is broken any more, and nothing was asked. */
  calm(): void {
    this.proxy.fault = () => undefined;
    this.proxy.requests.length = 0;
  }

  async stop(): Promise<void> {
    for (const one of this.#made) one.close();
    await this.proxy.stop();
    await this.root.remove();
  }
}
