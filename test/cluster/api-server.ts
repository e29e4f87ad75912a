import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminClient } from './admin-client.ts';
import { auditPolicy } from './audit-policy.ts';
import { startComponent, waitReady, type Component } from './component.ts';
import { egressConfig } from './egress.ts';
import type { GuardedDirectory } from './guardian.ts';
import type { Authority, KeyPair } from './pki.ts';
import { freePort } from './port.ts';

const readyTimeoutMs = 300_000;

/** What an API server needs to start. */
export interface ApiServerSetup {
  directory: GuardedDirectory;
  binary: string;
  etcdUrl: string;
  authority: Authority;
  serviceAccountKeys: { publicKey: string; privateKey: string };
  /** The administrator's client certificate. */
  admin: KeyPair;
  /** Flags that are added to ours; the last of a repeated flag wins. */
  flags?: readonly string[] | undefined;
}

/** kube-apiserver on one port of the loopback interface: can be stopped, and started again on the same port. */
export class ApiServer {
  readonly url: string;
  readonly auditLog: string;
  /** Where it looks for the way to its nodes; nobody listens there unless a fleet of real nodes does. */
  readonly egressSocket: string;
  readonly client: AdminClient;
  readonly #setup: ApiServerSetup;
  readonly #port: number;
  #component: Component | undefined;

  private constructor(setup: ApiServerSetup, port: number) {
    this.#setup = setup;
    this.#port = port;
    this.url = `https://127.0.0.1:${port}`;
    this.client = new AdminClient(this.url, setup.authority.certPem, setup.admin);
    this.auditLog = path.join(setup.directory.path, 'audit.log');
    this.egressSocket = egressSocketIn(setup.directory);
  }

  /** Writes its files and chooses the port; does not start it. */
  static async prepare(setup: ApiServerSetup): Promise<ApiServer> {
    const [port, serving] = await Promise.all([
      freePort(),
      setup.authority.issueServer({
        dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
        ip: ['127.0.0.1', '10.96.0.1'],
      }),
    ]);
    const files = {
      'ca.crt': setup.authority.certPem,
      'ca.key': setup.authority.keyPem,
      'api-server.crt': serving.cert,
      'api-server.key': serving.key,
      'service-account.key': setup.serviceAccountKeys.privateKey,
      'service-account.pub': setup.serviceAccountKeys.publicKey,
      'audit-policy.json': JSON.stringify(auditPolicy),
      'egress.json': JSON.stringify(egressConfig(egressSocketIn(setup.directory))),
      'kubelet-client.crt': setup.admin.cert,
      'kubelet-client.key': setup.admin.key,
    };
    const write = ([name, text]: [string, string]) =>
      writeFile(path.join(setup.directory.path, name), text, { mode: 0o600 });
    await Promise.all(Object.entries(files).map(write));
    return new ApiServer(setup, port);
  }

  get pid(): number | undefined {
    return this.#component?.process.pid;
  }

  /** Starts the process; does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#component?.process.running === true) return;
    this.#component = await startComponent(this.#setup.directory, this.#setup.binary, this.#flags());
  }

  /** Waits for its `/readyz`: all controllers of its own have started and the RBAC defaults are there. */
  async ready(): Promise<void> {
    if (this.#component === undefined) throw new Error('the API server was not started');
    await waitReady(this.#component, () => this.client.answers('/readyz'), readyTimeoutMs);
  }

  /** Kills it, as a crash would: connections break, requests under way get no reply. */
  async stop(): Promise<void> {
    await this.#component?.process.stop();
  }

  async restart(downMs: number): Promise<void> {
    await this.stop();
    await sleep(downMs);
    await this.start();
    await this.ready();
  }

  #flags(): string[] {
    const file = (name: string) => path.join(this.#setup.directory.path, name);
    return [
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.#port}`,
      '--endpoint-reconciler-type=none',
      `--etcd-servers=${this.#setup.etcdUrl}`,
      `--tls-cert-file=${file('api-server.crt')}`,
      `--tls-private-key-file=${file('api-server.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--anonymous-auth=false',
      '--allow-privileged=true',
      `--egress-selector-config-file=${file('egress.json')}`,
      `--kubelet-certificate-authority=${file('ca.crt')}`,
      `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
      `--kubelet-client-key=${file('kubelet-client.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-signing-key-file=${file('service-account.key')}`,
      `--service-account-key-file=${file('service-account.pub')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // A pod on a lost node is evicted after 30 s instead of 5 minutes: tests wait for that.
      '--default-not-ready-toleration-seconds=30',
      '--default-unreachable-toleration-seconds=30',
      `--audit-policy-file=${file('audit-policy.json')}`,
      `--audit-log-path=${this.auditLog}`,
      '--audit-log-format=json',
      '--audit-log-maxsize=2000', // megabytes: never rotated, or the count would be short
      '--event-ttl=1h',
      '--profiling=false',
      ...(this.#setup.flags ?? []),
    ];
  }
}

function egressSocketIn(directory: GuardedDirectory): string {
  return path.join(directory.path, 'egress.sock');
}
