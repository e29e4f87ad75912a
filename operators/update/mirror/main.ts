import { runOperator } from '#runtime/operator/operator.ts';
import { mirrorFlags } from './mirror-flags.ts';
import { MirrorOperator } from './mirror-operator.ts';

await runOperator({
  name: 'careen-mirror',
  argv: process.argv.slice(2),
  flags: mirrorFlags,
  setup: (context) => MirrorOperator.start(context),
});
