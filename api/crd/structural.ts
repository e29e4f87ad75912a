/* oxlint-disable no-underscore-dangle -- `_zod` is where zod 4 keeps what a schema is made of */
import { z } from 'zod';
import type { Schema } from './schema.ts';

/** A zod schema holds something that a CustomResourceDefinition cannot say. Thrown while generating. */
export class UnrepresentableError extends Error {
  constructor(path: string, why: string) {
    super(`${path}: ${why}`);
    this.name = 'UnrepresentableError';
  }
}

/** Kinds of zod schema that have an equal in a structural schema; everything else is refused. */
const REPRESENTABLE = new Set([
  'object',
  'array',
  'record',
  'string',
  'int',
  'number',
  'boolean',
  'enum',
  'literal',
  'union',
  'optional',
  'default',
  'prefault',
]);

/** Formats that the API server checks; zod's own ones (`url`, `email`, …) would be ignored by it. */
const FORMATS = new Set(['date-time', 'int32', 'int64']);

/**
 * The structural schema of what a user may write for a zod type: defaulted fields are optional.
 *
 * @param name where the schema stands, for errors: `NodeGroup.spec`.
 * @throws UnrepresentableError when the API server would enforce less than zod does.
 */
export function structural(type: z.ZodType, name: string): Schema {
  const { $schema: _version, ...json } = z.toJSONSchema(type, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    override: ({ zodSchema, path }) =>
      refuse(zodSchema, [name, ...path.filter((step) => step !== 'properties')].join('.')),
  });
  return clean(json as Schema, name);
}

function refuse(type: z.core.$ZodTypes, path: string): void {
  const { def } = type._zod;
  if (!REPRESENTABLE.has(def.type)) {
    throw new UnrepresentableError(path, `a custom resource cannot hold a zod ${def.type}`);
  }
  if (def.type === 'record' && hasChecks(def.keyType)) {
    throw new UnrepresentableError(path, 'bounds of keys are lost; write them as a rule() over the map');
  }
  const checks = (def.checks ?? []).map((check) => check._zod.def);
  if (checks.some((check) => check.check === 'custom' && !hasTwin(check))) {
    throw new UnrepresentableError(path, 'the API server has no twin of a refinement; write it with rule()');
  }
  for (const check of checks) refusePattern((check as { pattern?: RegExp }).pattern, path);
}

/** By what the API server enforces the same: fields.ts leaves it in the parameters of each refinement. */
function hasTwin(check: z.core.$ZodCheckDef): boolean {
  return typeof (check as z.core.$ZodCustomDef).params?.['twin'] === 'string';
}

function hasChecks(type: z.core.$ZodType): boolean {
  return type._zod.def.type !== 'string' || (type._zod.def.checks ?? []).length > 0;
}

/** The API server's expressions are RE2: no flags, no look-around, no back-references. */
function refusePattern(pattern: RegExp | undefined, path: string): void {
  if (pattern === undefined) return;
  if (pattern.flags !== '' || /\(\?[=!<]|\\[1-9]/.test(pattern.source)) {
    throw new UnrepresentableError(path, `RE2 has no equal for ${String(pattern)}`);
  }
}

/** Turns zod's JSON schema, node by node, into what the API server takes. */
function clean(schema: Schema, path: string): Schema {
  const out: Schema = schema.anyOf === undefined ? { ...schema } : intOrString(schema, path);
  if (out.format !== undefined && !FORMATS.has(out.format)) {
    throw new UnrepresentableError(path, `the API server does not check the format ${out.format}`);
  }
  if (out.additionalProperties === false) delete out.additionalProperties;
  if (out.minimum === Number.MIN_SAFE_INTEGER) delete out.minimum;
  if (out.maximum === Number.MAX_SAFE_INTEGER) delete out.maximum;
  if (out.properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(out.properties).map(([key, child]) => [key, clean(child, `${path}.${key}`)]),
    );
  }
  if (out.items !== undefined) out.items = clean(out.items, `${path}[]`);
  if (typeof out.additionalProperties === 'object')
    out.additionalProperties = clean(out.additionalProperties, `${path}{}`);
  return out;
}

/**
 * `anyOf: [integer, string]` is the one union that a structural schema has. The bounds of both arms move up:
 * those of numbers do not apply to strings, nor the other way round.
 */
function intOrString({ anyOf, ...schema }: Schema, path: string): Schema {
  const [integer, text, ...more] = anyOf ?? [];
  if (integer?.type !== 'integer' || text?.type !== 'string' || more.length > 0) {
    throw new UnrepresentableError(
      path,
      'the only union that a custom resource can hold is integer | string',
    );
  }
  const { type: _integer, ...bounds } = integer;
  const { type: _text, ...limits } = text;
  return {
    ...schema,
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    ...bounds,
    ...limits,
  };
}
