import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { configDocument } from '#api/config-document.ts';
import { canonicalJson, sha256 } from '#api/config-hash.ts';
import type { NodeConfig } from '#api/kinds.ts';
import { anySpec } from '../testing/any-spec.ts';
import { nodeConfig, nothing, type GivenSpec } from '../testing/node-config.ts';
import type { Rendered } from './rendered.ts';
import { partOf, renderSet } from './render-set.ts';

const render = (configs: readonly NodeConfig[]) => renderSet(configs, nothing);

/** Up to four configs, none of which contradicts itself. */
const sets = fc
  .array(anySpec, { minLength: 1, maxLength: 4 })
  .map((specs) => specs.map((spec, index) => nodeConfig(`config-${'badc'[index]}`, spec)))
  .filter((configs) => configs.every((config) => partOf(config, nothing).problems.length === 0));

/** The set, and the same in another order and with its lists turned around. */
const shuffled = sets.chain((configs) =>
  fc.tuple(fc.constant(configs), fc.shuffledSubarray(configs, { minLength: configs.length })),
);

const runs = { numRuns: 500 };

test('neither the order of configs nor that of their lists changes a byte, a conflict or the hash', () => {
  fc.assert(
    fc.property(shuffled, ([configs, others]) => {
      assert.deepEqual(render(others.map(turned)), withSources(render(configs), others));
    }),
    runs,
  );
});

test('the document is what the agent takes, and its JSON is canonical', () => {
  fc.assert(
    fc.property(sets, (configs) => {
      const found = render(configs);
      if (!found.ok) return;
      assert.deepEqual(configDocument.parse(found.document), found.document);
      assert.equal(found.json, canonicalJson(found.document));
      assert.equal(found.name, `rendered-${sha256(found.json).slice(0, 40)}`);
    }),
    runs,
  );
});

test('a config that says what another says already changes only who owns it', () => {
  fc.assert(
    fc.property(sets, (configs) => {
      const [first] = configs;
      assert.ok(first !== undefined);
      const twin = { ...first, metadata: { ...first.metadata, name: 'config-z', uid: 'z' } };
      assert.deepEqual(ordered(bare(render([...configs, twin]))), ordered(bare(render(configs))));
    }),
    runs,
  );
});

test('names decide nothing: the same configs under other names come to the same', () => {
  fc.assert(
    fc.property(sets, (configs) => {
      const renamed = configs.map((config, index) => ({
        ...config,
        metadata: { ...config.metadata, name: `config-${'wxyz'[configs.length - 1 - index]}` },
      }));
      assert.deepEqual(ordered(bare(render(renamed))), ordered(bare(render(configs))));
    }),
    runs,
  );
});

test('every conflict names two configs or more, and all of them are in the set', () => {
  fc.assert(
    fc.property(sets, (configs) => {
      const found = render(configs);
      if (found.ok) return;
      const names = configs.map(({ metadata }) => metadata.name);
      for (const { owners } of found.conflicts) {
        assert.ok(owners.length >= 2);
        for (const owner of owners) assert.ok(names.includes(owner));
      }
    }),
    runs,
  );
});

test('a conflict is there whoever else is in the set, unless somebody overrules it', () => {
  fc.assert(
    fc.property(sets, (configs) => {
      const priorities = new Set(configs.map(({ spec }) => spec.priority));
      fc.pre(priorities.size === 1);
      for (const [index, one] of configs.entries()) {
        for (const other of configs.slice(index + 1)) {
          if (!render([one, other]).ok) assert.equal(render(configs).ok, false);
        }
      }
    }),
    runs,
  );
});

test('priority is associative: of configs that say one thing each, the highest that says it decides', () => {
  const says = fc.record({
    priority: fc.integer({ min: -1000, max: 1000 }),
    path: fc.constantFrom('/etc/a', '/etc/b', '/etc/c'),
    contents: fc.constantFrom('one', 'two', 'three'),
  });
  const wishes = fc.uniqueArray(says, { minLength: 1, maxLength: 8, selector: ({ priority }) => priority });
  fc.assert(
    fc.property(wishes, fc.nat(), (all, cut) => {
      const each = all.map(({ priority, path, contents }, index) =>
        nodeConfig(`c${index}`, { priority, files: [{ path, contents }] }),
      );
      // Some of them folded into one, in which what they come to stands already, under the highest of their priorities.
      const rising = each.toSorted((a, b) => a.spec.priority - b.spec.priority);
      const at = cut % rising.length;
      for (const [low, high] of [
        [rising.slice(0, at), rising.slice(at)],
        [rising.slice(at), rising.slice(0, at)],
      ] as const) {
        assert.deepEqual(bare(render([...folded(low), ...high])), bare(render(each)));
      }
    }),
    runs,
  );
});

/** One config that says what a run of configs comes to. */
function folded(configs: readonly NodeConfig[]): NodeConfig[] {
  const found = render(configs);
  const last = configs.at(-1);
  if (!found.ok || last === undefined) return [];
  const files = found.document.files.map(({ path, content }) => ({
    path,
    contents: 'text' in content ? content.text : '',
  }));
  return [nodeConfig('folded', { priority: last.spec.priority, files })];
}

/** The lists of a spec whose order means nothing, turned around. */
function turned(config: NodeConfig): NodeConfig {
  const { files, directories, links, units, kernelModules, sysctls } = config.spec;
  return {
    ...config,
    spec: {
      ...config.spec,
      files: files.toReversed(),
      directories: directories.toReversed(),
      links: links.toReversed(),
      units: units.toReversed(),
      kernelModules: kernelModules.toReversed(),
      sysctls: Object.fromEntries(Object.entries(sysctls).toReversed()),
    },
  };
}

/** A source's hash is of the spec as it was given. */
function withSources(found: Rendered, given: readonly NodeConfig[]): Rendered {
  if (!found.ok) return found;
  const hashes = new Map(
    given.map((config) => [config.metadata.name, partOf(turned(config), nothing).source]),
  );
  return { ...found, sources: found.sources.map((source) => hashes.get(source.name) ?? source) };
}

/** What was found, without names. */
function bare(found: Rendered): { what: string[] } | GivenSpec {
  if (!found.ok) return { what: [...new Set(found.conflicts.map(({ what }) => what))] };
  return JSON.parse(
    JSON.stringify(found.document, (key, value: unknown) => (key === 'from' ? undefined : value)),
  ) as GivenSpec;
}

/** Names do order what no order matters for: rules of one priority that do not meet, and kernel arguments. */
function ordered<T>(found: T): T {
  return JSON.parse(
    JSON.stringify(found, (key, value: unknown) =>
      Array.isArray(value) && (key === 'disruption' || key === 'add')
        ? value.map((item) => canonicalJson(item)).toSorted()
        : value,
    ),
  ) as T;
}
