import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { generateKey } from '#agent/payload/minisign.ts';
import { publishPayload } from '#agent/payload/publish.ts';

const USAGE = `Turns an OS image into a signed payload that nodes can be updated with.

  node scripts/publish.ts --generate-key FILE
      writes a secret key to FILE (and the public one to FILE.pub) and prints the public key for the channel
  node scripts/publish.ts --image FILE --version V --key FILE --out DIR [--chunk-size BYTES] [--compression zstd|none] [--level N] [--expires RFC3339]
      writes DIR/V/manifest.json, manifest.json.minisig and blob`;

const { values } = parseArgs({
  options: {
    'generate-key': { type: 'string' },
    image: { type: 'string' },
    version: { type: 'string' },
    key: { type: 'string' },
    out: { type: 'string' },
    'chunk-size': { type: 'string', default: String(1024 * 1024) },
    compression: { type: 'string', default: 'zstd' },
    level: { type: 'string', default: '9' },
    expires: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function makeKey(path: string): Promise<void> {
  const { publicKey, secretKey } = generateKey();
  await writeFile(path, secretKey, { mode: 0o600, flag: 'wx' });
  await writeFile(`${path}.pub`, `untrusted comment: minisign public key\n${publicKey}\n`);
  console.log(publicKey);
}

async function publish(): Promise<void> {
  const { image, version, key, out, compression } = values;
  if (!image || !version || !key || !out)
    throw new Error(`image, version, key and out are needed\n\n${USAGE}`);
  if (compression !== 'zstd' && compression !== 'none') throw new Error('compression is zstd or none');
  const { manifest, sha256, size, blobSize } = await publishPayload({
    image,
    version,
    outDir: out,
    secretKey: await readFile(key, 'utf8'),
    chunkSize: Number(values['chunk-size']),
    compression,
    level: Number(values.level),
    expires: values.expires,
  });
  console.log(`${manifest}\nsha256 ${sha256}\n${size} bytes of image in ${blobSize} bytes of blob`);
}

try {
  if (values.help) console.log(USAGE);
  else if (values['generate-key'] === undefined) await publish();
  else await makeKey(values['generate-key']);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
