import type { NodeConfigSpec } from '#api/node-config.ts';
import { hasValues, parseText } from './values.ts';

interface Text {
  place: string;
  text: string;
}

/** Values that do not exist, and values where none are filled in: both would reach the disk as they stand. */
export function checkText(spec: NodeConfigSpec): { place: string; message: string }[] {
  const unknown = filled(spec).flatMap(({ place, text }) =>
    parseText(text).unknown.map((found) => ({
      place,
      message: `${found} is no value of a node; there are \${node.name}, \${node.label["…"]}, \${node.annotation["…"]} and \${node.address.internal}, .external and .hostname, and $\${node. stands for itself`,
    })),
  );
  const misplaced = plain(spec).flatMap(({ place, text }) =>
    hasValues(text)
      ? [
          {
            place,
            message:
              'values of the node are not filled in here; they are in contents of files and units, and in hostname',
          },
        ]
      : [],
  );
  return [...unknown, ...misplaced];
}

function filled({ files, units, hostname }: NodeConfigSpec): Text[] {
  return [
    ...files.flatMap(({ path, contents: text }) =>
      text === undefined ? [] : [{ place: `files[${path}].contents`, text }],
    ),
    ...units.flatMap(({ name, contents, dropins }) => [
      ...(contents === undefined ? [] : [{ place: `units[${name}].contents`, text: contents }]),
      ...dropins.map(({ name: dropin, contents: text }) => ({
        place: `units[${name}].dropins[${dropin}].contents`,
        text,
      })),
    ]),
    ...(hostname === undefined ? [] : [{ place: 'hostname', text: hostname }]),
  ];
}

function plain({ links, sysctls, kernelArguments, sshAuthorizedKeys }: NodeConfigSpec): Text[] {
  return [
    ...links.map(({ path, target }) => ({ place: `links[${path}].target`, text: target })),
    ...Object.entries(sysctls).map(([name, text]) => ({ place: `sysctls[${name}]`, text })),
    ...kernelArguments.add.map((text) => ({ place: 'kernelArguments.add', text })),
    ...sshAuthorizedKeys.flatMap(({ user, keys }) =>
      keys.map((text) => ({ place: `sshAuthorizedKeys[${user}]`, text })),
    ),
  ];
}
