import { runOperator } from '#runtime/operator/operator.ts';
import { omahaFlags } from './omaha/omaha-flags.ts';
import { UpdateOperator } from './update-operator.ts';

await runOperator({
  name: 'careen-update',
  argv: process.argv.slice(2),
  flags: omahaFlags,
  setup: (context) => UpdateOperator.start(context),
});
