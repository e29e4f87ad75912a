import { objectName, type LabelSelector } from '#api/fields.ts';
import type { Cursor } from './cursor.ts';
import { IGNITION } from './ignition/dialect.ts';
import { argumentList, readIgnition } from './ignition/read-ignition.ts';
import type { Sections } from './spec.ts';

/** What was read, and what it is called and for which nodes it is, where the source says so. */
export interface Named {
  name?: string;
  nodeSelector?: LabelSelector;
  sections: Sections;
}

const IMAGE = 'belongs to the image of the machine, not to its configuration; see UpdateChannel';
const BEYOND = {
  osImageURL: IMAGE,
  baseOSExtensionsContainerImage: IMAGE,
  extensions: IMAGE,
  kernelType: IMAGE,
  fips: IMAGE,
};
const ROLE = 'machineconfiguration.openshift.io/role';

/** A MachineConfig of OpenShift (machineconfiguration.openshift.io/v1). */
export function readMachineConfig(document: Cursor): Named {
  const { spec, metadata } = document.fields(['apiVersion', 'kind', 'metadata', 'spec'], {
    status: 'is what the cluster says',
  });
  const { config, kernelArguments } = spec?.fields(['config', 'kernelArguments'], BEYOND) ?? {};
  const read = config === undefined ? {} : readIgnition(config, IGNITION);
  const add = kernelArguments && argumentList(kernelArguments);
  return {
    ...(metadata && readMetadata(metadata)),
    sections: add === undefined ? read : { ...read, kernelArguments: { ...read.kernelArguments, add } },
  };
}

/** The role that OpenShift gives a pool is the role that Kubernetes gives its nodes. */
export function readMetadata(metadata: Cursor): Pick<Named, 'name' | 'nodeSelector'> {
  const found = new Map(metadata.entries());
  const name = found.get('name')?.text();
  if (name !== undefined && !objectName.safeParse(name).success)
    found.get('name')?.refuse('is no name of an object');
  const labels = new Map(found.get('labels')?.entries());
  const role = labels.get(ROLE)?.text();
  return {
    ...(name !== undefined && { name }),
    ...(role !== undefined && { nodeSelector: { matchLabels: { [`node-role.kubernetes.io/${role}`]: '' } } }),
  };
}
