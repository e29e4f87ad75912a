import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { API_VERSION, type Kind, PLURALS, resourcePath } from '#api/group.ts';
import type { KubeObject } from '#api/meta.ts';
import { SAMPLES } from '#api/crd/samples.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { run } from '#test/stack/kubectl.ts';
import { PodAttempts, type PodSpec, podSpecs } from './testing/pods.ts';
import { AGENT_NAMESPACE, CHART, NAMESPACE, Release } from './testing/release.ts';

/** Turns the operator of NodeConfigs on. */
const NODE_CONFIG = ['--set', 'nodeConfig.enabled=true'];
const EXAMPLES = join(import.meta.dirname, '../examples');

interface Workload extends KubeObject {
  spec: { replicas?: number; template: { spec: object } };
}

let cluster: Cluster;
let client: KubeClient;
let release: Release;
let directory: string;
let pods: PodAttempts;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careen-chart-'));
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 1000 });
  release = new Release(cluster);
  pods = new PodAttempts(cluster, client);
});

after(async () => {
  await client?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

function helm(...args: string[]): Promise<string> {
  return run(cluster.tools.helm, args);
}

async function rendered(...args: string[]): Promise<(KubeObject & { rules?: object[] })[]> {
  const text = await helm('template', 'careen', CHART, '--kube-version=1.36.0', ...args);
  return parseAllDocuments(text).map((document) => document.toJS());
}

async function budgets(...args: string[]): Promise<number> {
  return (await rendered(...args)).filter(({ kind }) => kind === 'PodDisruptionBudget').length;
}

async function images(...args: string[]): Promise<string[]> {
  const text = JSON.stringify(await rendered('--no-hooks', ...args));
  return [...text.matchAll(/"image":"([^"]+)"/g)].map(([, image = '']) => image).toSorted();
}

async function mirrored(...args: string[]): Promise<KubeObject[]> {
  const all = await rendered('--no-hooks', ...args);
  return all.filter(({ metadata }) => metadata.name.startsWith('careen-mirror'));
}

async function exists(path: string): Promise<boolean> {
  try {
    await client.get(path);
    return true;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return false;
    throw error;
  }
}

function crdPath(plural: string): string {
  return `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.careen.dev`;
}

suite('the chart as it is written', () => {
  test('passes helm lint --strict', async () => {
    await helm('lint', '--strict', CHART);
  });

  test('has no wildcard in any rule', async () => {
    for (const [args, count] of [
      [[], 7],
      [NODE_CONFIG, 12],
    ] as const) {
      const roles = (await rendered(...args)).filter(({ kind = '' }) => /^(Cluster)?Role$/.test(kind));
      assert.equal(roles.length, count);
      for (const { rules } of roles) assert.ok(!JSON.stringify(rules).includes('*'));
    }
  });

  test('brings one image for the operators and one for the agent, without a registry', async () => {
    assert.deepEqual(await images(), [
      'careen/agent:0.1.0',
      'careen/operators:0.1.0',
      'careen/operators:0.1.0',
    ]);
    const digest = `sha256:${'a'.repeat(64)}`;
    const pinned = await images(
      '--set',
      `image.agent.digest=${digest},image.agent.tag=9.0.1,image.operators.tag=2.0.0,image.registry=example.org/mirror/`,
    );
    assert.deepEqual(pinned, [
      `example.org/mirror/careen/agent@${digest}`,
      'example.org/mirror/careen/operators:2.0.0',
      'example.org/mirror/careen/operators:2.0.0',
    ]);
  });

  test('has a budget for the operators only while there are several replicas', async () => {
    assert.equal(await budgets(), 2);
    assert.equal(await budgets('--set', 'update.replicas=1'), 1);
  });

  test('has the operator of NodeConfigs when it is turned on: sources named, agents that may write the host', async () => {
    const args = [...NODE_CONFIG, '--set', 'nodeConfig.sourceNamespaces={web,db,web}'];
    const all = await rendered(...args);
    const sources = all.filter(({ metadata }) => metadata.name === 'careen-node-config-sources');
    const namespaces = sources.map(({ metadata: { namespace = '' } }) => namespace);
    assert.deepEqual(namespaces.toSorted(), ['db', 'db', 'web', 'web']);
    const text = JSON.stringify(all);
    assert.match(text, /--source-namespaces=db,web/);
    assert.match(text, /"--node-config"/);
    const root = podSpecs(all)
      .get('DaemonSet careen-agent')
      ?.containers[0]?.volumeMounts?.find(({ mountPath }) => mountPath === '/host');
    assert.equal(root?.['readOnly'], undefined);
    const names = (await rendered()).map(({ metadata }) => metadata.name);
    assert.ok(!names.some((name) => /node-config|careen-nodes/.test(name)));
  });

  test('leaves the CRDs out when they are managed by other means', async () => {
    const kinds = (await rendered('--set', 'crds.install=false')).map(({ kind }) => kind);
    assert.ok(!kinds.includes('CustomResourceDefinition') && kinds.includes('DaemonSet'));
  });

  test('has no program be the first process of its namespace: a SIGTERM that comes early would be lost', async () => {
    const all = podSpecs(await rendered());
    for (const kind of ['Deployment', 'DaemonSet']) {
      const running = [...all].filter(([name]) => name.startsWith(`${kind} `));
      assert.ok(running.length > 0, kind);
      for (const [name, spec] of running) assert.equal(spec.shareProcessNamespace, true, name);
    }
  });

  test('gives nobody but the agent a privilege or a path of the host, and takes the host path of the deadman back', async () => {
    const all = podSpecs(await rendered());
    for (const [name, spec] of all) {
      const isAgent = name === 'DaemonSet careen-agent';
      assert.equal(/hostPath|hostNetwork|"privileged"/.test(JSON.stringify(spec)), isAgent, name);
      assert.doesNotMatch(JSON.stringify(spec), /hostPID|hostIPC|nsenter|SYS_ADMIN/, name);
    }
    assert.deepEqual(hostPaths(all), ['/', '/var/lib/careen', '/etc/systemd/system']);
    assert.deepEqual(hostPaths(podSpecs(await rendered('--set', 'agent.deadman=false'))), [
      '/',
      '/var/lib/careen',
    ]);
  });

  test('lets the operators reach the API server only, and anybody their metrics, unless told otherwise', async () => {
    const policy = (await rendered()).find(({ kind }) => kind === 'NetworkPolicy');
    assert.match(JSON.stringify(policy), /"policyTypes":\["Ingress","Egress"\]/);
    assert.doesNotMatch(JSON.stringify(policy), /"from"/);
    const kinds = async (...args: string[]) => (await rendered(...args)).map(({ kind }) => kind);
    assert.ok(!(await kinds('--set', 'networkPolicy.enabled=false')).includes('NetworkPolicy'));
    assert.ok(!(await kinds()).includes('ServiceMonitor'));
    assert.ok((await kinds('--set', 'serviceMonitor.enabled=true')).includes('ServiceMonitor'));
  });

  test('spreads the replicas as told, each operator by its own pods', async () => {
    const constraint = 'maxSkew=1,topologyKey=zone,whenUnsatisfiable=DoNotSchedule';
    const set = constraint.split(',').map((each) => `update.topologySpreadConstraints[0].${each}`);
    const spec = podSpecs(await rendered('--set', set.join(','))).get('Deployment careen-update');
    const [first] = spec?.topologySpreadConstraints ?? [];
    assert.deepEqual(first?.labelSelector, {
      matchLabels: { 'app.kubernetes.io/instance': 'careen', 'app.kubernetes.io/name': 'careen-update' },
    });
  });

  test('has a mirror only when it is asked for, with a volume of its own or one that exists', async () => {
    assert.deepEqual(await mirrored(), []);
    const own = await mirrored('--set=mirror.enabled=true');
    assert.ok(own.some(({ kind }) => kind === 'PersistentVolumeClaim'));
    const text = JSON.stringify(own.find(({ kind }) => kind === 'Deployment'));
    assert.match(text, /"persistentVolumeClaim":\{"claimName":"careen-mirror"\}/);
    assert.match(text, /--base-url=http:\/\/careen-mirror-payloads\.default\.svc:8081/);
    assert.match(text, /"type":"Recreate"/);
    const given = await mirrored('--set=mirror.enabled=true,mirror.persistence.existingClaim=disk');
    assert.ok(!given.some(({ kind }) => kind === 'PersistentVolumeClaim'));
    assert.match(JSON.stringify(given), /"claimName":"disk"/);
  });

  test('has a mirror with a bucket instead, which every replica serves from', async () => {
    const s3 =
      'bucket=images,endpoint=https://minio:9000,credentials.secretName=keys,ca.configMapName=ca,port=9000';
    const set = s3.split(',').map((each) => `mirror.s3.${each}`);
    const all = await mirrored('--set', ['mirror.enabled=true', ...set].join(','));
    assert.ok(!all.some(({ kind }) => kind === 'PersistentVolumeClaim'));
    assert.ok(all.some(({ kind }) => kind === 'PodDisruptionBudget'));
    const deployment = all.find(({ kind }) => kind === 'Deployment') as Workload;
    assert.equal(deployment.spec.replicas, 2);
    const text = JSON.stringify(deployment);
    assert.match(text, /"type":"RollingUpdate"/);
    assert.match(
      text,
      /"--s3-bucket=images","--s3-region=us-east-1","--s3-prefix=careen\/","--s3-path-style"/,
    );
    assert.match(
      text,
      /--s3-endpoint=https:\/\/minio:9000","--s3-credentials=\/etc\/careen\/s3-credentials"/,
    );
    assert.match(text, /--s3-ca=\/etc\/careen\/s3-ca\/ca\.crt/);
    assert.match(text, /"emptyDir":\{"sizeLimit":"20Gi"\}/);
    assert.match(text, /"secret":\{"defaultMode":288,"secretName":"keys"\}/);
    assert.match(JSON.stringify(all.filter(({ kind }) => kind === 'NetworkPolicy')), /"port":9000/);
    const single = await mirrored('--set=mirror.enabled=true');
    assert.equal((single.find(({ kind }) => kind === 'Deployment') as Workload).spec.replicas, 1);
    assert.ok(!single.some(({ kind }) => kind === 'PodDisruptionBudget'));
  });

  test('tests what machines ask where there is something to ask', async () => {
    const hooks = async (...args: string[]) => {
      const all = (await rendered(...args)).filter(({ metadata }) => metadata.name === 'careen-check');
      return JSON.stringify(all);
    };
    assert.doesNotMatch(await hooks(), /--mirror|--omaha|careen-mirror/);
    const both = await hooks('--set=mirror.enabled=true,omaha.enabled=true');
    assert.match(both, /"--mirror","--omaha"/);
    assert.match(both, /"careen-reboot-lock","careen-mirror"/);
    const peers = '[{"namespaceSelector":{}}]';
    const all = await rendered('--set=omaha.enabled=true', `--set-json=omaha.from=${peers}`);
    const policy = all.find(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'careen-omaha',
    );
    assert.match(
      JSON.stringify(policy),
      /"app.kubernetes.io\/name":"careen-check".*"namespaceSelector":\{\}/,
    );
  });

  test('refuses a cluster whose tokens name no node', async () => {
    await assert.rejects(helm('template', CHART, '--kube-version=1.31.9'), /incompatible with Kubernetes/);
  });

  const UNKNOWN = [
    'replicas=3',
    'crds.enabled=true',
    'image.repository=careen',
    'image.agent.pullPolicy=Always',
    'update.topologySpreadConstraints[0].skew=1',
    'agent.unitDir=/x',
    'lease.renew=1s',
    'update.replica=3',
    'update.resources.request.cpu=1',
    'update.affinity.nodes=x',
    'update.tolerations[0].keys=x',
    'rebootLock.image=x',
    'nodeConfig.sources={a}',
    'agent.hostRoot=/',
    'image.pullSecrets[0].key=x',
  ];
  for (const value of UNKNOWN) {
    test(`refuses the unknown key of ${value}`, async () => {
      await assert.rejects(rendered('--set', value), /additional properties|not allowed/i);
    });
  }

  test('refuses values that cannot be meant', async () => {
    const wrong = [
      'logLevel=loud',
      'lease.duration=15',
      'update.replicas=-1',
      'agent.port=0',
      'rebootLock.enabled=true',
      'update.sourceNamespaces={a}',
      'nodeConfig.nodeConditions=true',
      'nodeConfig.sourceNamespaces={A}',
    ];
    for (const value of wrong)
      await assert.rejects(rendered('--set', value), /values don't meet the specifications/, value);
  });

  test('lets no object of its schema of values take unknown keys, and lists every key in values.yaml', async () => {
    const schema = JSON.parse(await readFile(join(CHART, 'values.schema.json'), 'utf8'));
    const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8'));
    for (const object of objectsOf(schema)) assert.notEqual(object['additionalProperties'] ?? true, true);
    const { global: _, ...keys } = schema.properties;
    assert.deepEqual(Object.keys(values).toSorted(), Object.keys(keys).toSorted());
    const operator = Object.keys(schema.definitions.operator.properties).toSorted();
    const without = (...keys: string[]) => operator.filter((key) => !keys.includes(key));
    assert.deepEqual(Object.keys(values.rebootLock).toSorted(), without('enabled', 'sourceNamespaces'));
    assert.deepEqual(Object.keys(values.nodeConfig).toSorted(), without('nodeConditions'));
    const ofUpdate = without('nodeConditions', 'enabled', 'sourceNamespaces');
    assert.deepEqual(Object.keys(values.update).toSorted(), ofUpdate);
    for (const part of ['networkPolicy', 'serviceMonitor', 'check', 'lease', 'crds', 'image'])
      assert.deepEqual(
        Object.keys(values[part]).toSorted(),
        Object.keys(schema.properties[part].properties).toSorted(),
      );
    assert.deepEqual(
      Object.keys(values.agent).toSorted(),
      Object.keys(schema.properties.agent.properties).toSorted(),
    );
  });
});

/** Every schema that describes properties. */
function objectsOf(schema: unknown): Record<string, unknown>[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.values(schema).flatMap(objectsOf);
  return 'properties' in schema ? [{ ...schema }, ...inner] : inner;
}

suite('the life of a release', () => {
  const operators = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
  const budget = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets/careen-update`;
  const agents = `/apis/apps/v1/namespaces/${AGENT_NAMESPACE}/daemonsets/careen-agent`;
  const group = resourcePath('NodeGroup', 'workers');

  test('it installs, and the kinds are served', async () => {
    const said = await release.install();
    assert.match(said, /Nothing is updated or rebooted until you say/);
    const names = (await client.list<KubeObject>(operators)).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(names.toSorted(), ['careen-reboot-lock', 'careen-update']);
    assert.ok(await exists(agents));
    await until('every kind is served', async () => {
      for (const kind of Object.keys(PLURALS) as Kind[]) await client.list(resourcePath(kind));
      return true;
    });
    await until('objects can be made', async () => {
      const object = { apiVersion: API_VERSION, kind: 'NodeGroup', ...SAMPLES.NodeGroup };
      await client.create(resourcePath('NodeGroup'), object);
      return true;
    });
  });

  test('it serves what examples/ would apply, and the server takes every line of it', async () => {
    for (const name of (await readdir(EXAMPLES)).filter((name) => name.endsWith('.yaml'))) {
      const args = ['apply', '--dry-run=server', '--validate=strict', '--filename', join(EXAMPLES, name)];
      const said = await run(cluster.tools.kubectl, [...args, '--kubeconfig', cluster.kubeconfig]);
      assert.match(said, / (created|configured) \(server dry run\)/, name);
    }
  });

  test('every pod but the agent runs under the restricted pod security level', async () => {
    await pods.namespace('restricted', 'restricted');
    await pods.namespace('privileged', 'privileged');
    const all = podSpecs(await rendered(...NODE_CONFIG));
    assert.deepEqual([...all.keys()].toSorted(), [
      'DaemonSet careen-agent',
      'Deployment careen-node-config',
      'Deployment careen-reboot-lock',
      'Deployment careen-update',
      'Job careen-leave',
      'Job careen-node-config-leave',
      'Pod careen-check',
    ]);
    for (const [name, spec] of all) {
      const attempt = pods.attempt(spec, 'restricted');
      if (name !== 'DaemonSet careen-agent') await attempt;
      else await assert.rejects(attempt, /violates PodSecurity.*privileged/);
    }
    await pods.attempt(all.get('DaemonSet careen-agent'), 'privileged');
  });

  test('the agent cannot have what the host unmounts stay mounted, nor a recursive read-only view with that', async () => {
    const spec = podSpecs(await rendered()).get('DaemonSet careen-agent');
    const [agent] = spec?.containers ?? [];
    const root = agent?.volumeMounts?.find(({ mountPath }) => mountPath === '/host');
    assert.deepEqual([root?.['mountPropagation'], root?.['readOnly']], ['HostToContainer', true]);
    Object.assign(root ?? {}, { recursiveReadOnly: 'IfPossible' });
    await assert.rejects(pods.attempt(spec, 'privileged'), /recursiveReadOnly/);
  });

  test('an upgrade changes the operators and takes the budget of a single replica away', async () => {
    assert.ok(await exists(budget));
    await release.upgrade({ values: { update: { replicas: 1 }, logLevel: 'debug' } });
    const { spec } = await client.get<Workload>(`${operators}/careen-update`);
    assert.equal(spec.replicas, 1);
    assert.match(JSON.stringify(spec.template), /--log-level=debug/);
    assert.ok(!(await exists(budget)));
  });

  test('an upgrade to a chart with other CRDs changes them, and the objects stay', async () => {
    const chart = join(directory, 'next');
    await cp(CHART, chart, { recursive: true });
    const file = join(chart, 'files/crds/nodegroups.careen.dev.yaml');
    const next = (await readFile(file, 'utf8')).replace(/^( +)- ng\n/m, '$1- ng\n$1- pool\n');
    await writeFile(file, next);
    await release.upgrade({ chart });
    const crd = await client.get<{ spec: { names: { shortNames: string[] } } }>(crdPath(PLURALS.NodeGroup));
    assert.deepEqual(crd.spec.names.shortNames, ['ng', 'pool']);
    assert.ok(await exists(group));
    await release.upgrade();
  });

  test('an uninstall leaves the CRDs and their objects, and nothing else', async () => {
    await release.uninstall({ hooks: false });
    assert.ok(await exists(group));
    const leftovers = await Promise.all([
      client.list(operators),
      client.list('/apis/rbac.authorization.k8s.io/v1/clusterroles', { labelSelector: PART }),
      client.list('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { labelSelector: PART }),
      client.list('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
        labelSelector: PART,
      }),
    ]);
    assert.deepEqual(
      leftovers.flatMap(({ items }) => items),
      [],
    );
    await until(
      'the namespace of the agents is gone',
      async () => !(await exists(`/api/v1/namespaces/${AGENT_NAMESPACE}`)),
    );
  });

  test('it installs again over the CRDs that were left', async () => {
    await release.install();
    assert.ok(await exists(group));
  });

  test('told not to keep them, an uninstall removes the CRDs as well', async () => {
    await release.upgrade({ values: { crds: { keep: false } } });
    await release.uninstall({ hooks: false });
    for (const plural of Object.values(PLURALS)) {
      await until(`${plural} are gone`, async () => !(await exists(crdPath(plural))));
    }
  });

  test('the agents can live in the namespace of the operators', async () => {
    await release.install({ values: { agent: { namespace: NAMESPACE } } });
    assert.ok(await exists(`/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/careen-agent`));
    await release.uninstall({ hooks: false });
  });
});

function hostPaths(all: Map<string, PodSpec>): string[] {
  const volumes = [...all.values()].flatMap(({ volumes = [] }) => volumes);
  return volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);
}

const PART = 'app.kubernetes.io/part-of=careen';
