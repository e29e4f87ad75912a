import type { Cursor } from './cursor.ts';
import type { Dialect } from './ignition/dialect.ts';
import { argumentList, readSections } from './ignition/read-ignition.ts';
import { readMetadata, type Named } from './machine-config.ts';

const VARIANTS: Readonly<Record<string, RegExp>> = {
  fcos: /^1\.[0-7]\.0$/,
  flatcar: /^1\.[01]\.0$/,
  openshift: /^4\.([89]|1[0-9]|2[0-2])\.0$/,
};

const FIRST_BOOT = 'is laid out when the machine is installed, not later';
const HEAD = { ignition: 'refers to other documents or to how they are fetched; give the merged one' };
const BEYOND = {
  bootDevice: FIRST_BOOT,
  grub: 'passwords of the boot loader are set when the machine is installed',
};
const IMAGE = 'belongs to the image of the machine, not to its configuration';

/** A Butane document (https://coreos.github.io/butane/specs/): fcos to 1.7, flatcar to 1.1, openshift to 4.22. */
export function readButane(document: Cursor, dialect: Dialect): Named {
  const { variant, version, metadata, openshift, ...sections } = document.fields(
    ['variant', 'version', 'metadata', 'openshift', 'storage', 'systemd', 'passwd', 'kernelArguments'],
    { ...HEAD, ...BEYOND },
  );
  const [name, number] = [variant?.text() ?? '', version?.text() ?? ''];
  const versions = VARIANTS[name];
  if (!versions?.test(number)) {
    document.refuse(
      `variant "${name}" ${number} is not read; there are fcos to 1.7.0, flatcar to 1.1.0, openshift to 4.22.0`,
    );
    return { sections: {} };
  }
  const read = readSections(sections, dialect);
  const more = openshift?.fields(['kernelArguments'], { fips: IMAGE, extensions: IMAGE, kernelType: IMAGE });
  const add = more?.kernelArguments && argumentList(more.kernelArguments);
  return {
    ...(metadata && readMetadata(metadata)),
    sections: add === undefined ? read : { ...read, kernelArguments: { ...read.kernelArguments, add } },
  };
}
