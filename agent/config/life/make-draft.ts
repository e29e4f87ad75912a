import type { ConfigDocument } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import { wantedSysctls } from '../sysctls/wanted-sysctls.ts';
import { checkUnits } from '../units/unit-rules.ts';
import type { ConfigRecord } from './config-record.ts';
import { draftOf } from './draft.ts';
import type { Draft } from './draft.ts';
import type { ConfigParts } from './parts.ts';

/** What careen makes of a node of which nothing is wanted. */
export const NOTHING: ConfigDocument = {
  schema: 1,
  directories: [],
  files: [],
  links: [],
  units: [],
  authorizedKeys: [],
  kernelArguments: { add: [], remove: [] },
  disruption: [],
  validate: [],
  probes: [],
  confirm: { timeout: '5m', settle: '20s' },
};

/** Finds out what a document would change here. Reads, and writes nothing. Throws `ConfigError`. */
export async function makeDraft(
  document: ConfigDocument,
  record: ConfigRecord,
  parts: ConfigParts,
): Promise<Draft> {
  await checkPolicy(document, parts);
  const files = await parts.files.plan(document);
  const { document: before } = await parts.files.applied();
  const rules = [...document.disruption, ...(before?.disruption ?? [])];
  const names = [
    ...document.units.map(({ name }) => name),
    ...Object.keys(record.units),
    ...rules.flatMap(({ unit }) => unit ?? []),
  ];
  const settings = new Set([...wantedSysctls(document), ...Object.keys(record.sysctls)]);
  const [units, sysctls, kernelArguments, hostname, described] = await Promise.all([
    parts.units.facts([...new Set(names)]),
    parts.sysctls.read([...settings]),
    parts.kernelArguments.plan(record.kernelArguments, document.kernelArguments),
    parts.hostname(),
    parts.describe(files),
  ]);
  return draftOf({ document, before, files, described, units, sysctls, kernelArguments, hostname, record });
}

async function checkPolicy(document: ConfigDocument, parts: ConfigParts): Promise<void> {
  const local = await parts.policy();
  checkUnits(document, local);
  const { validate, probes, kernelArguments } = document;
  const commands = validate.length > 0 || probes.some(({ command }) => command !== undefined);
  if (commands && !local.commands) throw forbidden('programs of a configuration (validate, probes)');
  const touched = kernelArguments.add.length + kernelArguments.remove.length > 0;
  if (touched && !local.kernelArguments) throw forbidden('kernel arguments');
}

function forbidden(what: string): ConfigError {
  return new ConfigError('PolicyRefused', `/etc/careen/policy.json on the node forbids ${what}`);
}
