import type { ConfigDocument } from '#api/config-document.ts';
import { directory, documentOf, file, link } from './document.ts';
import type { TestHost } from './host.ts';

/** The distribution's own. */
export async function writeShipped(host: TestHost): Promise<void> {
  for (let index = 0; index < 6; index++)
    await host.write(`/etc/shipped/${index}`, `shipped ${index}`, 0o604);
}

/**
 * A change of twenty paths from `generation` 1 to 2: some are made, some replaced, some go; owners, modes, a link, and
 * directories that come and go.
 */
export function twentyFiles(generation: 1 | 2): ConfigDocument {
  const text = (name: string) => `${name} of generation ${generation}\n`.repeat(generation * 50);
  const both = Array.from({ length: 8 }, (_, index) =>
    file(`/etc/app/conf.d/${index}`, text(`file ${index}`), {
      mode: generation === 1 ? '0600' : '0640',
      group: generation === 1 ? 'root' : 'core',
    }),
  );
  const shipped = Array.from({ length: 3 }, (_, index) =>
    file(`/etc/shipped/${generation === 1 ? index : index + 3}`, text(`shipped ${index}`)),
  );
  const fresh = Array.from({ length: 4 }, (_, index) =>
    file(`/etc/new-${generation}/deep/${index}`, text(`new ${index}`), { user: 'core' }),
  );
  return documentOf({
    files: [...both, ...shipped, ...fresh],
    directories: [directory('/etc/app', { mode: generation === 1 ? '0700' : '0755' })],
    links: [link('/etc/app/current', `conf.d/${generation}`)],
  });
}
