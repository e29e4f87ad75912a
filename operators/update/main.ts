import { runOperator } from '#runtime/operator/operator.ts';
import { UpdateOperator } from './update-operator.ts';

await runOperator({
  name: 'careen-update',
  argv: process.argv.slice(2),
  setup: (context) => new UpdateOperator(context),
});
