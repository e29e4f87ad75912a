/** How a boot loader's file holds the command line: what it says, and the file with another one. */
export interface CommandLine {
  read(text: string): string;
  write(text: string, line: string): string;
}

const OPTIONS = /^options[ \t]+(.*)$/gm;

/** A boot entry (Boot Loader Specification, type #1): several `options` lines count as one. */
export const bootEntry: CommandLine = {
  read: (text) => [...text.matchAll(OPTIONS)].map(([, options]) => options).join(' '),
  write: (text, line) => {
    let written = false;
    const replaced = text.replaceAll(/^options[ \t]+.*\n?/gm, () => {
      if (written) return '';
      written = true;
      return `options ${line}\n`;
    });
    return written ? replaced : `${text.trimEnd()}\noptions ${line}\n`;
  },
};

const APPEND = /^set linux_append="((?:[^"\\]|\\.)*)"[ \t]*$/m;

/** The `grub.cfg` of the OEM partition, as Container Linux and Flatcar read it: only what is appended stands there. */
export const oemGrub: CommandLine = {
  read: (text) => (APPEND.exec(text)?.[1] ?? '').replaceAll(/\\(.)/g, '$1'),
  write: (text, line) => {
    const set = `set linux_append="${line.replaceAll(/["\\$]/g, String.raw`\$&`)}"`;
    if (APPEND.test(text)) return text.replace(APPEND, () => set);
    return `${text === '' ? '' : `${text.trimEnd()}\n`}${set}\n`;
  },
};
