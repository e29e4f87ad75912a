import { z } from 'zod';

/**
 * Field types that several kinds share. Each carries its bounds, its description and, where zod refines,
 * the CEL rule by which the API server enforces the same thing.
 */

export interface Rule<T> {
  /** The rule in the Common Expression Language, over `self`. */
  cel: string;
  /** What the user reads when the rule refuses an object: what to do, not only what is wrong. */
  message: string;
  /** The same rule for zod. */
  test: (value: T) => boolean;
}

const VALIDATIONS = 'x-kubernetes-validations';

/** Adds one rule to a schema, for zod and for the API server at once. */
export function rule<S extends z.ZodType>(schema: S, { cel, message, test }: Rule<z.output<S>>): S {
  const before = schema.meta() ?? {};
  const validations = (before[VALIDATIONS] as object[] | undefined) ?? [];
  const refined = schema.refine((value) => test(value), { message, params: { twin: cel } });
  return refined.meta({ ...before, [VALIDATIONS]: [...validations, { rule: cel, message }] });
}

/** Adds schema extensions such as `x-kubernetes-list-type` to what the schema carries already. */
export function extend<S extends z.ZodType>(schema: S, extensions: Record<string, unknown>): S {
  return schema.meta({ ...schema.meta(), ...extensions });
}

/** A list of objects that server-side apply merges by `keys`; no two have the same. */
export function listMap<S extends z.ZodType>(item: S, keys: string[], maxItems: number) {
  const keyOf = (value: unknown) =>
    JSON.stringify(keys.map((key) => (value as Record<string, unknown>)[key]));
  return extend(distinct(z.array(item), 'map', keyOf).max(maxItems), {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
  });
}

/** A list of scalars without duplicates. */
export function set<S extends z.ZodType>(item: S, maxItems: number) {
  return extend(distinct(z.array(item), 'set', JSON.stringify).max(maxItems), {
    'x-kubernetes-list-type': 'set',
  });
}

/** What the API server does by itself for lists of these types. */
function distinct<S extends z.ZodType>(items: z.ZodArray<S>, type: string, keyOf: (item: unknown) => string) {
  return items.refine((values) => new Set(values.map(keyOf)).size === values.length, {
    message: 'no two items may be the same',
    params: { twin: `x-kubernetes-list-type: ${type}` },
  });
}

/** A list that is replaced as a whole. */
export function list<S extends z.ZodType>(item: S, maxItems: number) {
  return extend(z.array(item).max(maxItems), { 'x-kubernetes-list-type': 'atomic' });
}

export const VERSION_PATTERN = /^[0-9]+(\.[0-9]+){0,3}([+-][0-9A-Za-z.+-]+)?$/;

/** An OS version: one to four dotted numbers, optionally a pre-release or build suffix (`4593.1.0`, `2.0.0-rc.1`). */
export const osVersion = z.string().min(1).max(64).regex(VERSION_PATTERN);

/** A Kubernetes object name (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** A short lower-case name inside an object, such as a wave's. */
export const shortName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** A span of time as Go writes it: `90s`, `1h30m`, `250ms`. */
export const duration = z
  .string()
  .min(2)
  .max(32)
  .regex(/^([0-9]+(h|m|s|ms))+$/);

/** An instant as RFC 3339 writes it; careen itself writes UTC. */
export const instant = z
  .string()
  .min(20)
  .max(40)
  .refine(isInstant, {
    message: 'write an instant as 2026-12-24T18:00:00Z',
    params: { twin: 'format: date-time' },
  })
  .meta({ format: 'date-time' });

function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text)) return false;
  return !Number.isNaN(Date.parse(text)) && isDay(text.slice(0, 10));
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** A number of nodes, or a share of them: `2`, `"10%"`. */
export const countOrPercent = z.union([
  z.int().min(0).max(100_000),
  z
    .string()
    .max(5)
    .regex(/^([0-9]|[1-9][0-9]|100)%$/),
]);
export type CountOrPercent = z.infer<typeof countOrPercent>;

const requirement = rule(
  z.object({
    key: z.string().min(1).max(316).describe('Label key.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How values are compared.'),
    values: list(z.string().max(63), 64).optional().describe('Label values, for In and NotIn.'),
  }),
  {
    cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    message: 'operator In or NotIn needs values; Exists and DoesNotExist take none',
    test: ({ operator, values }) => (operator === 'In' || operator === 'NotIn') === (values ?? []).length > 0,
  },
);

// zod has no maxProperties of its own, so the test says it as well.
const matchLabels = rule(z.record(z.string(), z.string().max(63)).meta({ maxProperties: 64 }), {
  cel: 'self.all(key, size(key) > 0 && size(key) <= 316)',
  message: 'a label key has 1 to 316 characters: [prefix/]name',
  test: (labels) =>
    Object.keys(labels).length <= 64 &&
    Object.keys(labels).every((key) => key.length > 0 && key.length <= 316),
});

/** A label selector; an empty one selects everything. */
export const labelSelector = z
  .object({
    matchLabels: matchLabels.optional().describe('Labels that must be there with exactly these values.'),
    matchExpressions: list(requirement, 32).optional().describe('Further requirements; all must hold.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });
export type LabelSelector = z.infer<typeof labelSelector>;

/** An IANA time zone name; whether it exists is decided where the schedule is evaluated. */
export const timeZone = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_+\-/]+$/);

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a `duration`; throws a RangeError on anything else. */
export function durationMs(text: string): number {
  if (!/^([0-9]+(h|m|s|ms))+$/.test(text)) {
    throw new RangeError(`"${text}" is not a duration; write it as 90s, 5m or 1h30m`);
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
    total += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  return total;
}
