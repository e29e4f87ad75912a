import type { ObjectMeta } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { Serial } from './serial.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** The heartbeat of a node: its Lease, renewed every `everyMs` until stopped. */
export class Heartbeat {
  readonly #client: KubeClient;
  readonly #node: { name: string; uid: string | undefined };
  readonly #work: Serial;

  constructor(client: KubeClient, node: ObjectMeta, everyMs: number) {
    this.#client = client;
    this.#node = { name: node.name, uid: node.uid };
    this.#work = new Serial(async (signal) => {
      await this.#renew(signal);
      return everyMs * (0.96 + Math.random() * 0.08); // machines that started together drift apart
    }, 1000);
  }

  start(): void {
    this.#work.poke();
  }

  async stop(): Promise<void> {
    await this.#work.stop();
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const spec = { renewTime: new Date().toISOString().replace('Z', '000Z') }; // MicroTime has six digits
    try {
      await this.#client.mergePatch(`${LEASES}/${this.#node.name}`, { spec }, {}, { signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      await this.#client.create(LEASES, this.#lease(spec), {}, { signal });
    }
  }

  #lease(spec: object): object {
    const { name, uid } = this.#node;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
      spec: { ...spec, holderIdentity: name, leaseDurationSeconds: 40 },
    };
  }
}
