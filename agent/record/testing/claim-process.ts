import { Claim } from '../claim.ts';

/** Takes the directory given as its argument, says whether it could, and stays until it is killed. */
const claim = new Claim(process.argv[2] ?? '');
process.stdout.write(String(await claim.take()));
setInterval(() => void claim.take(), 60_000);
