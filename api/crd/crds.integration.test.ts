import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { API_VERSION, PLURALS, resourcePath, type Kind } from '../group.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { isKubeError, type KubeError } from '#runtime/client/error.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { customResourceDefinition, objectSchema, type Definition } from './definition.ts';
import { DEFINITIONS } from './definitions.ts';
import { at, placed, placeOf } from './place.ts';
import { BROKEN } from './rule-cases.ts';
import { FURTHER_SAMPLES, SAMPLES, type Sample } from './samples.ts';
import { fields, type Field } from './schema.ts';
import { violations } from './violations.ts';

interface Stored {
  spec?: unknown;
  status?: unknown;
}

let cluster: Cluster;
let client: KubeClient;

before(async () => {
  cluster = await startCluster();
  client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'careen-test', qps: 2000 });
  await Promise.all(DEFINITIONS.map(establish));
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

async function establish(definition: Definition): Promise<void> {
  const crd = customResourceDefinition(definition);
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  await client.apply(path, crd, { fieldManager: 'careen-test' });
  await until(`${crd.metadata.name} is served`, async () => {
    const { status } = await client.get<{ status: { conditions: { type: string; status: string }[] } }>(path);
    const held = status.conditions.filter(({ status }) => status === 'True').map(({ type }) => type);
    assert.deepEqual(held.toSorted(), ['Established', 'NamesAccepted'], 'and not NonStructuralSchema');
    await client.list(resourcePath(definition.kind));
    return true;
  });
}

async function kubectl(...args: string[]): Promise<string> {
  const { kubectl } = cluster.tools;
  const { stdout } = await promisify(execFile)(kubectl, [`--kubeconfig=${cluster.kubeconfig}`, ...args]);
  return stdout;
}

/** Creates without keeping: the object as it would be stored. */
function tryOut(kind: Kind, object: object): Promise<Stored> {
  return client.create<Stored>(
    resourcePath(kind),
    { apiVersion: API_VERSION, kind, ...object },
    { dryRun: 'All' },
  );
}

/** The server's refusal of an object; undefined when it takes it. */
async function refusal(kind: Kind, object: object): Promise<KubeError | undefined> {
  try {
    await tryOut(kind, object);
    return undefined;
  } catch (error) {
    if (!isKubeError(error, 'Invalid')) throw error;
    return error;
  }
}

/** Fields of `spec` with the sample that has a value for them, and the place of it. */
function sampled(definition: Definition): (Field & { sample: Sample; place: (string | number)[] })[] {
  const inSpec = [...fields(objectSchema(definition))].filter(({ path }) => path.startsWith('spec.'));
  const samples = [SAMPLES[definition.kind], ...(FURTHER_SAMPLES[definition.kind] ?? [])];
  return inSpec.map((field) => {
    const sample = samples.find((one) => placeOf(one, field.path) !== undefined);
    const place = placeOf(sample, field.path);
    assert.ok(sample && place, `no sample of ${definition.kind} has ${field.path}`);
    return { ...field, sample, place };
  });
}

suite('every kind', () => {
  for (const definition of DEFINITIONS) {
    const { kind } = definition;
    const sample = SAMPLES[kind];

    test(`${kind}: the sample is taken, and stored with the defaults that zod fills in`, async () => {
      const stored = await tryOut(kind, sample);
      assert.deepEqual(stored.spec, definition.spec.parse(sample.spec));
    });

    test(`${kind}: each bound is enforced by the server and by zod alike`, async () => {
      for (const field of sampled(definition)) {
        const valid = at(field.sample, field.place);
        for (const { what, value } of violations(field, valid)) {
          const broken = placed(field.sample, field.place, value);
          assert.ok(await refusal(kind, broken), `the server takes ${field.path} ${what}`);
          assert.ok(!definition.spec.safeParse(broken.spec).success, `zod takes ${field.path} ${what}`);
        }
      }
    });

    test(`${kind}: kubectl explains every field and knows the short name and the category`, async () => {
      // The server publishes what is to be explained a moment after it serves the kind.
      let explained = '';
      await until(`${kind} is explained`, async () => {
        explained = await kubectl('explain', PLURALS[kind], '--recursive');
        return true;
      });
      for (const { path } of sampled(definition)) {
        const name = path
          .replaceAll(/(\[\]|\{\})/g, '')
          .split('.')
          .at(-1);
        assert.match(explained, new RegExp(`^\\s+${name}\\s+<`, 'm'));
      }
      const listed = await kubectl('get', `${definition.shortName},careen`, '--ignore-not-found');
      assert.equal(listed, '');
    });
  }
});

test('each rule refuses an object on the server, with a message that says what to do', async (t) => {
  for (const definition of DEFINITIONS) {
    const { kind } = definition;
    for (const { path, schema } of fields(objectSchema(definition))) {
      for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
        if (isTransition(rule)) continue;
        await t.test(`${kind} ${path}: ${message}`, async () => {
          const breakIt = BROKEN[message];
          assert.ok(breakIt, 'a rule without a case: add one to rule-cases.ts');
          const place = placeOf(SAMPLES[kind], path);
          assert.ok(place, `the sample has no ${path}`);
          const broken = placed(
            SAMPLES[kind],
            place,
            breakIt(at(SAMPLES[kind], place) as Record<string, unknown>),
          );
          const refused = await refusal(kind, broken);
          assert.ok(refused?.message.includes(message), `the server said: ${refused?.message}`);
          if (path !== '') assert.ok(!definition.spec.safeParse(broken.spec).success, 'zod takes it');
        });
      }
    }
  }
});

/** Rules over what an object was before have tests of their own. */
function isTransition(rule: string): boolean {
  return rule.includes('oldSelf');
}

test('a RenderedConfig never changes', async () => {
  const { spec } = SAMPLES.RenderedConfig;
  const metadata = { name: 'rendered-once' };
  const kind = 'RenderedConfig';
  await client.create(resourcePath(kind), { apiVersion: API_VERSION, kind, metadata, spec });
  const path = resourcePath(kind, metadata.name);
  await assert.rejects(client.mergePatch(path, { spec: { document: '{}' } }), /never changes/);
  await client.mergePatch(path, { metadata: { labels: { 'example.org/seen': 'yes' } } });
});

test('no case is left of a rule that is gone', () => {
  const messages = DEFINITIONS.flatMap((definition) =>
    [...fields(objectSchema(definition))].flatMap(({ schema }) =>
      (schema['x-kubernetes-validations'] ?? [])
        .filter(({ rule }) => !isTransition(rule))
        .map(({ message }) => message),
    ),
  );
  assert.deepEqual(Object.keys(BROKEN).toSorted(), [...new Set(messages)].toSorted());
});

test('the server and zod agree on objects with any three edits', async () => {
  const edited = fc.constantFrom(...DEFINITIONS).chain((definition) => {
    const places = sampled(definition).filter(({ sample }) => sample === SAMPLES[definition.kind]);
    const edit = fc.constantFrom(...places).chain((field) => {
      const valid = at(SAMPLES[definition.kind], field.place);
      const bad = violations(field, valid).map(({ value }) => value);
      return fc.record({
        place: fc.constant(field.place),
        value: fc.oneof(
          { weight: 3, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.constantFrom(...bad) },
          { weight: 4, arbitrary: acceptable(field, valid) },
        ),
      });
    });
    return fc.record({
      definition: fc.constant(definition),
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    });
  });
  const seen = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(edited, async ({ definition, edits }) => {
      const { kind, spec } = definition;
      const object = edits.reduce(
        (so, { place, value }) => (exists(so, place) ? placed(so, place, value) : so),
        SAMPLES[kind],
      );
      const refused = await refusal(kind, object);
      const parsed = spec.safeParse(object.spec);
      seen[refused ? 'refused' : 'taken'] += 1;
      assert.equal(!refused, parsed.success, refused?.message ?? String(parsed.error));
      if (!refused) assert.deepEqual((await tryOut(kind, object)).spec, parsed.data);
    }),
    { numRuns: 300 },
  );
  assert.ok(seen.taken > 60 && seen.refused > 60, `both were tried: ${JSON.stringify(seen)}`);
});

function acceptable({ schema }: Field, valid: unknown): fc.Arbitrary<unknown> {
  const others = [valid, schema.minimum, schema.maximum, schema.default, ...(schema.enum ?? [])];
  return fc.constantFrom(...others.filter((value) => value !== undefined));
}

function exists(object: unknown, place: readonly (string | number)[]): boolean {
  try {
    return at(object, place) !== undefined;
  } catch {
    return false;
  }
}

test('a new policy object is in progress until a controller has seen it; what operators write has no status', async () => {
  for (const { kind } of DEFINITIONS) {
    const stored = await tryOut(kind, SAMPLES[kind]);
    const status = stored.status as { observedGeneration?: number } | undefined;
    const isPolicy = kind !== 'NodeState' && kind !== 'RenderedConfig';
    assert.equal(status?.observedGeneration, isPolicy ? -1 : undefined, kind);
  }
});

test('a NodeState may be made without a spec', async () => {
  assert.deepEqual((await tryOut('NodeState', { metadata: { name: 'n2' } })).spec, {});
});

test('the columns of a NodeState tell what runs, what should, and why it does not move', async () => {
  const { spec } = SAMPLES.NodeState;
  await client.create(resourcePath('NodeState'), {
    apiVersion: API_VERSION,
    kind: 'NodeState',
    metadata: { name: 'told' },
    spec,
  });
  const slot = { priority: 2, tries: 0, successful: true, next: false };
  await client.mergePatch(`${resourcePath('NodeState', 'told')}/status`, {
    status: {
      os: { id: 'flatcar', version: '1.0.0' },
      update: { phase: 'Staged', version: '2.0.0', since: '2026-11-21T06:00:00Z' },
      slots: [
        { ...slot, name: 'USR-B', booted: false },
        { ...slot, name: 'USR-A', booted: true },
      ],
    },
  });
  const { columns, rows } = await client.table(resourcePath('NodeState'));
  const told = Object.fromEntries(columns.map((name, index) => [name, rows[0]?.[index]]));
  const { Age: _, ...facts } = told;
  assert.deepEqual(facts, {
    Name: 'told',
    Version: '1.0.0',
    Target: '2.0.0',
    Phase: 'Staged',
    Held: 'Soaking',
    Reboot: 'LockFull',
    Config: null,
    Slot: 'USR-A',
    Group: 'workers',
    Error: null,
  });
  for (const fieldSelector of ['status.update.phase=Staged', 'spec.update.group=workers']) {
    assert.equal((await client.list(resourcePath('NodeState'), { fieldSelector })).items.length, 1);
  }
  const none = await client.list(resourcePath('NodeState'), { fieldSelector: 'status.update.phase=Idle' });
  assert.equal(none.items.length, 0);
});

test('a lock tells its budget and its holders in a line', async () => {
  const path = resourcePath('RebootLock', 'zones');
  await client.create(resourcePath('RebootLock'), {
    apiVersion: API_VERSION,
    kind: 'RebootLock',
    ...SAMPLES.RebootLock,
  });
  const status = { observedGeneration: 1, max: 2, covered: 9, held: 'n1 n2', waitingCount: 3 };
  await client.mergePatch(`${path}/status`, { status });
  const { columns, rows } = await client.table(resourcePath('RebootLock'));
  const cell = (name: string) => rows[0]?.[columns.indexOf(name)];
  assert.deepEqual(['Max', 'Covered', 'Holders', 'Waiting'].map(cell), [2, 9, 'n1 n2', 3]);
});
