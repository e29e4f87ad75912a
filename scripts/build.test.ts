import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { buildBundles } from './build.ts';

test('each program is one file that runs alone, with its source map beside it', async (t) => {
  const directory = await guardedDirectory('careen-bundles-');
  t.after(() => directory.remove());
  const bundles = await buildBundles(directory.path);
  const names = bundles.map(({ file }) => path.basename(file)).toSorted();
  const programs = ['agent', 'check', 'kubectl-careen', 'mirror', 'node-config', 'reboot-lock', 'update'];
  assert.deepEqual(
    names,
    programs.map((name) => `${name}.mjs`),
  );
  const written = await readdir(directory.path);
  assert.deepEqual(written.toSorted(), names.flatMap((name) => [name, `${name}.map`]).toSorted());
  for (const { file } of bundles) {
    const help = spawnSync(process.execPath, [file, '--help'], { encoding: 'utf8', cwd: '/' });
    assert.equal(help.status, 0);
    assert.match(help.stdout + help.stderr, /--kubeconfig/);
  }
  // An image holds the file and Node: there is no package to load. `debug` tries one of these for colours, `pg` the
  // other where its environment asks for it.
  const packages = bundles.flatMap(({ loads }) => loads).filter((name) => !isBuiltin(name));
  assert.deepEqual(new Set(packages), new Set(['pg-native', 'supports-color']));
});
