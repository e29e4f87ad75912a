import type { z } from 'zod';
import { GROUP, PLURALS, VERSION, type Kind } from '../group.ts';
import { lint } from './lint.ts';
import type { Schema, Validation } from './schema.ts';
import { structural } from './structural.ts';

/** A column of `kubectl get`. `wide` ones are shown with `-o wide` only. */
export interface Column {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date';
  jsonPath: string;
  description: string;
  wide?: boolean;
}

/** What a custom resource is, apart from the schemas of its fields. */
export interface Definition {
  kind: Kind;
  shortName: string;
  /** What an object of the kind is for, in a sentence or two. */
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  /** Rules over the whole object, such as those over its name. */
  rules?: Validation[];
  columns: Column[];
  /** JSON paths that `kubectl get --field-selector` takes. */
  selectable?: string[];
  /** Objects may leave out `spec`; it is `{}` then. */
  specOptional?: boolean;
}

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: Record<string, unknown>;
}

/** The schema of whole objects of a kind. @throws Error naming every structural fault. */
export function objectSchema(definition: Definition): Schema {
  const schema = assemble(definition);
  const faults = lint(schema);
  if (faults.length > 0) throw new Error(`${definition.kind} is not structural:\n  ${faults.join('\n  ')}`);
  return schema;
}

function assemble({ kind, description, spec, status, rules, specOptional }: Definition): Schema {
  const wanted = structural(spec, `${kind}.spec`);
  const said = structural(status, `${kind}.status`);
  const schema: Schema = {
    type: 'object',
    description,
    properties: {
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'The kind of this object.' },
      metadata: { type: 'object' },
      spec: { description: 'What is wanted.', ...wanted, ...(specOptional && { default: {} }) },
      status: { description: 'What is so, as the controllers last saw it.', ...said, ...inProgress(said) },
    },
  };
  if (!specOptional) schema.required = ['spec'];
  if (rules !== undefined) schema['x-kubernetes-validations'] = rules;
  return schema;
}

/** kstatus: an object that no controller has seen is in progress, not healthy by accident. */
function inProgress(status: Schema): Pick<Schema, 'default'> {
  return status.properties?.['observedGeneration'] === undefined
    ? {}
    : { default: { observedGeneration: -1 } };
}

export function customResourceDefinition(definition: Definition): CustomResourceDefinition {
  const { kind, shortName, columns, selectable } = definition;
  const plural = PLURALS[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['careen'],
      },
      scope: 'Cluster',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema(definition) },
          subresources: { status: {} },
          ...(selectable && { selectableFields: selectable.map((jsonPath) => ({ jsonPath })) }),
          additionalPrinterColumns: columns.map(printerColumn),
        },
      ],
    },
  };
}

function printerColumn({ wide, ...column }: Column) {
  return { ...column, ...(wide && { priority: 1 }) };
}
