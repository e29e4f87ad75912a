import { timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BUNDLE_LIMITS, configBundle, type ConfigBundle, DOCUMENT_SCHEMA } from '#api/config-document.ts';
import { bundleHash } from '#api/config-hash.ts';
import { ConfigError } from '../config-error.ts';

/** What a bundle must be for the node to take it. */
export interface Expected {
  /** The Node that the agent runs on. */
  node: { name: string; uid: string };
  /** NodeState.spec.config. */
  hash: string;
  generation: number;
}

/**
 * The bundle in the bytes of a Secret, after everything about it was checked: its size before and after it is
 * unpacked, its schema, its node, its hash. Errors are ConfigErrors and hold nothing of its content.
 */
export async function openBundle(packed: Uint8Array, expected: Expected): Promise<ConfigBundle> {
  const value = parse(await unpack(packed));
  checkSchema(value);
  const { data: bundle, error } = configBundle.safeParse(value);
  if (bundle === undefined) {
    const issue = error.issues[0];
    throw invalid(`it is malformed at ${issue?.path.join('.') ?? 'its root'} (${issue?.code ?? 'unknown'})`);
  }
  checkNode(bundle, expected);
  checkHash(bundle, expected);
  return bundle;
}

async function unpack(packed: Uint8Array): Promise<string> {
  if (packed.length > BUNDLE_LIMITS.packed) throw invalid(`it has more than ${BUNDLE_LIMITS.packed} bytes`);
  try {
    const plain = await promisify(gunzip)(packed, { maxOutputLength: BUNDLE_LIMITS.plain });
    return plain.toString('utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const isLarge = code === 'ERR_BUFFER_TOO_LARGE';
    throw invalid(isLarge ? `it unpacks to more than ${BUNDLE_LIMITS.plain} bytes` : 'it is not gzip');
  }
}

/** Without the parser's own words, which quote what they stumbled over. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
}

/** Before the rest is looked at: what is newer may well look malformed. */
function checkSchema(value: unknown): void {
  const schema = (value as { document?: { schema?: unknown } } | null)?.document?.schema;
  if (typeof schema !== 'number' || schema <= DOCUMENT_SCHEMA) return;
  const message = `what the node should have is of schema ${schema}, this agent knows ${DOCUMENT_SCHEMA}; upgrade the agent`;
  throw new ConfigError('SchemaTooNew', message);
}

function checkNode({ node }: ConfigBundle, { node: own }: Expected): void {
  if (node.name === own.name && node.uid === own.uid) return;
  throw invalid(
    `it is of Node ${node.name} (${node.uid}), and this is ${own.name} (${own.uid}); the operator writes it anew`,
  );
}

/** Another generation of the same hash is the same content; the operator is about to write one of the two. */
function checkHash({ hash, salt, generation, document }: ConfigBundle, expected: Expected): void {
  if (hash !== expected.hash) {
    const isOld = generation < expected.generation;
    throw invalid(`it is ${isOld ? 'older' : 'newer'} than what NodeState asks for; wait for the operator`);
  }
  const actual = bundleHash(document, salt);
  if (!timingSafeEqual(Buffer.from(actual), Buffer.from(hash)))
    throw invalid('its hash is not that of its content');
}

function invalid(why: string): ConfigError {
  return new ConfigError('BundleInvalid', `the bundle of this node cannot be used: ${why}`);
}
