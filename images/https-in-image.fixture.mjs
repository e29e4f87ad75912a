// Runs inside an image: a name server and an https server on loopback, found and fetched as a payload is.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { rootCertificates } from 'node:tls';

const names = createSocket('udp4', (query, from) => names.send(answer(query), from.port, from.address));
names.bind(53, '127.0.0.1');
const files = createServer(
  { cert: readFileSync('/etc/server.crt'), key: readFileSync('/etc/server.key') },
  (_, response) => response.end('a payload'),
);
files.listen(443, '127.0.0.1');
await Promise.all([once(names, 'listening'), once(files, 'listening')]);
const response = await fetch('https://payloads.example/');
console.log(JSON.stringify({ body: await response.text(), authorities: rootCertificates.length }));
process.exit();

/** RFC 1035: the question again, and for type A one answer: 127.0.0.1. */
function answer(query) {
  const end = query.indexOf(0, 12) + 5;
  const isA = query.readUInt16BE(end - 4) === 1;
  const head = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])]);
}
