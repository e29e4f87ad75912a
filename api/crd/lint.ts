import { fields, type Field, type Schema } from './schema.ts';

/**
 * What is wrong with a structural schema, one sentence each; empty when the API server will take it.
 *
 * The rules are those of apiextensions-apiserver (pkg/apiserver/schema/validation.go), and careen's own: each
 * field is described and bounded, since the cost of CEL rules is estimated from the bounds.
 */
export function lint(root: Schema): string[] {
  return [...fields(root)].flatMap((field) =>
    CHECKS.flatMap((check) => check(field)).map((fault) => `${field.path || '(root)'}: ${fault}`),
  );
}

type Check = (field: Field) => string[];

const KNOWN = new Set(
  [
    'type description format default enum properties required additionalProperties items anyOf',
    'minimum maximum minLength maxLength pattern minItems maxItems minProperties maxProperties',
    'x-kubernetes-int-or-string x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-map-type',
    'x-kubernetes-validations',
  ].flatMap((line) => line.split(' ')),
);

const knownKeywords: Check = ({ schema }) =>
  Object.keys(schema)
    .filter((key) => !KNOWN.has(key))
    .map((key) => `${key} is not for structural schemas`);

const typed: Check = ({ schema }) => {
  if (schema['x-kubernetes-int-or-string'] === true)
    return schema.type === undefined ? [] : ['int-or-string takes no type'];
  return schema.type === undefined ? ['has no type'] : [];
};

const described: Check = ({ path, schema }) =>
  schema.description === undefined && path !== 'metadata' && !/(\[\]|\{\})$/.test(path)
    ? ['has no description']
    : [];

/** What `metadata` holds is the API server's; a schema may bound the name and nothing else. */
const bareMetadata: Check = ({ path, schema }) =>
  path === 'metadata' && Object.keys(schema).some((key) => key !== 'type' && key !== 'properties')
    ? ['may restrict name and generateName only']
    : [];

const bounded: Check = ({ path, schema }) => {
  const open: string[] = [];
  if (SERVERS.has(path)) return open;
  if (schema.type === 'string' && schema.enum === undefined && schema.maxLength === undefined)
    open.push('a string needs maxLength');
  if (schema.type === 'array' && schema.maxItems === undefined) open.push('a list needs maxItems');
  if (schema.additionalProperties !== undefined && schema.maxProperties === undefined)
    open.push('a map needs maxProperties');
  return open;
};

/** Fields of every object, which the API server bounds itself. */
const SERVERS = new Set(['apiVersion', 'kind', 'metadata']);

const merges: Check = ({ schema }) => {
  if (schema.type !== 'array') return [];
  const { items } = schema;
  const type = schema['x-kubernetes-list-type'];
  if (type === undefined) return ['a list needs x-kubernetes-list-type'];
  if (type === 'set' && (items?.type === 'object' || items?.type === 'array'))
    return ['a set holds scalars only'];
  if (type !== 'map') return [];
  return (schema['x-kubernetes-list-map-keys'] ?? ['(no key)'])
    .filter((key) => !items?.required?.includes(key))
    .map((key) => `list-map key ${key} must be a required field of the items`);
};

const explained: Check = ({ schema }) =>
  (schema['x-kubernetes-validations'] ?? [])
    .filter(({ rule, message }) => rule === '' || message === '' || message.includes('\n'))
    .map(({ rule }) => `the rule ${rule} needs a message of one line`);

const CHECKS: readonly Check[] = [knownKeywords, typed, described, bareMetadata, bounded, merges, explained];
