import type { NodeConfig } from '#api/kinds.ts';
import type { KeyRef, Lookup } from '#operators/node-config/render/rendered.ts';
import { dataOf, type Source } from '#operators/node-config/sources/source-data.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';

/** The ConfigMaps that configs take contents from, as they are now. One that does not exist has no keys. */
export async function configMapsOf(client: KubeClient, configs: readonly NodeConfig[]): Promise<Lookup> {
  const refs = configs.flatMap(({ spec }) =>
    spec.files.flatMap(({ contentsFrom }) => contentsFrom?.configMap ?? []),
  );
  const paths = [...new Set(refs.map(pathOf))];
  const found = new Map(
    await Promise.all(paths.map(async (path) => [path, await read(client, path)] as const)),
  );
  return (ref) => found.get(pathOf(ref))?.[ref.key];
}

function pathOf({ namespace, name }: Pick<KeyRef, 'namespace' | 'name'>): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`;
}

async function read(client: KubeClient, path: string): Promise<ReturnType<typeof dataOf>> {
  try {
    return dataOf('configmaps', await client.get<Source>(path));
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return {};
    throw error;
  }
}
