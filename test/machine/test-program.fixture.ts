/*
 * What a test runs as a container: prints its arguments and environment as a line of JSON, answers HTTP on a
 * free port, and ends on SIGTERM. `--exit CODE` makes it end at once.
 */
import { createServer } from 'node:http';

const args = process.argv.slice(2);
console.log(JSON.stringify({ args, env: process.env }));
const exit = args.indexOf('--exit');
if (exit >= 0) process.exit(Number(args[exit + 1]));
process.once('SIGTERM', () => {
  console.log('ended in order');
  process.exit(0);
});
createServer((request, response) => {
  response.writeHead(request.url === '/readyz' ? 200 : 404).end();
}).listen(0, '127.0.0.1');
