/** Loaded before every test file: fast-check takes the seed of the run, where it has one. */
import { seedOf } from './seed.ts';

const seed = seedOf(process.env);
if (seed !== undefined) {
  const { configureGlobal } = await import('fast-check');
  configureGlobal({ seed });
}
