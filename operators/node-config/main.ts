import { leaveCommand } from '#operators/leave/leave-command.ts';
import { runOperator } from '#runtime/operator/operator.ts';
import { nodeConfigFlags } from './flags.ts';
import { leave } from './leave/leave.ts';
import { NodeConfigOperator } from './node-config-operator.ts';

const NAME = 'careen-node-config';

const [command, ...rest] = process.argv.slice(2);
const done = 'nodes keep what they have';
if (command === 'leave') process.exit(await leaveCommand({ name: NAME, work: leave, done }, rest));

await runOperator({
  name: NAME,
  argv: process.argv.slice(2),
  flags: nodeConfigFlags,
  setup: (context) => new NodeConfigOperator(context),
});
