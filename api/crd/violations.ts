import type { Field, Schema } from './schema.ts';

/** A value that a field must not have. `value` undefined: the field is left out. */
export interface Violation {
  what: string;
  value: unknown;
}

/** For each bound of a field one value that breaks it, made from a value that breaks none. */
export function violations({ path, schema, required }: Field, valid: unknown): Violation[] {
  const item = /(\[\]|\{\})$/.test(path);
  return [
    ...(required && !item ? [{ what: 'missing', value: undefined }] : []),
    { what: 'of another type', value: schema.type === 'boolean' ? 'yes' : true },
    ...(schema.enum ? [{ what: 'not one of the words', value: 'Nonsense' }] : []),
    ...numbers(schema),
    ...strings(schema),
    ...(Array.isArray(valid) ? lists(schema, valid) : []),
    ...maps(schema),
  ];
}

function numbers({ type, minimum, maximum }: Schema): Violation[] {
  const found: Violation[] = [];
  if (type === 'integer') found.push({ what: 'not whole', value: (minimum ?? 0) + 0.5 });
  if (minimum !== undefined) found.push({ what: 'below the minimum', value: minimum - 1 });
  if (maximum !== undefined) found.push({ what: 'above the maximum', value: maximum + 1 });
  return found;
}

function strings({ minLength, maxLength, pattern, format }: Schema): Violation[] {
  const found: Violation[] = [];
  if (minLength !== undefined && minLength > 0)
    found.push({ what: 'too short', value: 'a'.repeat(minLength - 1) });
  if (maxLength !== undefined) found.push({ what: 'too long', value: 'a'.repeat(maxLength + 1) });
  if (pattern !== undefined)
    found.push({ what: 'not of the pattern', value: '\n'.repeat(Math.max(1, minLength ?? 1)) });
  if (format === 'date-time') found.push({ what: 'not an instant', value: '2026-02-30T00:00:00Z' });
  return found;
}

function lists(schema: Schema, valid: unknown[]): Violation[] {
  const { minItems, maxItems } = schema;
  const found: Violation[] = [];
  if (minItems !== undefined) found.push({ what: 'too few items', value: valid.slice(0, minItems - 1) });
  if (maxItems !== undefined)
    found.push({ what: 'too many items', value: Array.from({ length: maxItems + 1 }, () => valid[0]) });
  if (schema['x-kubernetes-list-type'] !== 'atomic')
    found.push({ what: 'an item twice', value: [valid[0], valid[0]] });
  return found;
}

function maps({ maxProperties }: Schema): Violation[] {
  if (maxProperties === undefined) return [];
  const entries = Array.from({ length: maxProperties + 1 }, (_, index) => [`key-${index}`, 'x']);
  return [{ what: 'too many entries', value: Object.fromEntries(entries) }];
}
