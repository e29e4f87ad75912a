import { HostFiles } from '../transaction/host-files.ts';
import type { HostFilesOptions } from '../transaction/workplace.ts';
import { twentyFiles } from './twenty-files.ts';

// An agent that changes twenty files back and forth until it is killed; its options as JSON in the first argument.
const files = new HostFiles(JSON.parse(process.argv[2] ?? '') as HostFilesOptions);
console.log('ready');
for (let round = 0; ; round++) {
  const { transaction: left } = await files.recover();
  if (round % 2 === 0) await left?.keep();
  else await left?.revert().then(() => left.close());
  const { meta } = await files.applied();
  const generation = meta?.['generation'] === 1 ? 2 : 1;
  const document = twentyFiles(generation);
  const transaction = await files.prepare({
    document,
    plan: await files.plan(document),
    meta: { generation },
  });
  await transaction.switch();
  if (round % 3 === 2) await transaction.revert().then(() => transaction.close());
  else await transaction.keep();
}
