/**
 * A node of a structural OpenAPI v3 schema, the subset that a CustomResourceDefinition may hold
 * (apiextensions.k8s.io/v1 JSONSchemaProps without `$ref`, `definitions` and the like).
 */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  not?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-validations'?: Validation[];
}

/** A CEL rule and what the user reads when it refuses an object. */
export interface Validation {
  rule: string;
  message: string;
}

export interface Field {
  /** `spec.update.rollout.waves[].name`; empty for the root; `[]` stands for any item, `{}` for any value. */
  path: string;
  schema: Schema;
  required: boolean;
}

/** Every field of a schema, parents before children, in the order of the schema. */
export function* fields(schema: Schema, path = '', required = true): Generator<Field> {
  yield { path, schema, required };
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const wanted = schema.required?.includes(name) ?? false;
    yield* fields(child, path === '' ? name : `${path}.${name}`, wanted);
  }
  if (schema.items !== undefined) yield* fields(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object')
    yield* fields(schema.additionalProperties, `${path}{}`);
}
