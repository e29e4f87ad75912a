import { packageUrl } from './package-url.ts';

type Licence = { license: { id: string } | { name: string } } | { expression: string };

/** SPDX's word for a package that says nothing. */
export const unknownLicence = 'NOASSERTION';

/** A component of a CycloneDX 1.6 document, with the fields that we fill. */
export interface Component {
  type: 'application' | 'container' | 'library';
  'bom-ref': string;
  name: string;
  version: string;
  hashes?: { alg: 'SHA-256'; content: string }[];
  licenses?: [Licence];
  cpe?: string;
  purl?: string;
  components?: Component[];
}

/** Everything about a component that is not derived. */
export interface Described {
  type: Component['type'];
  name: string;
  version: string;
  purl: string;
  licence?: string | undefined;
  sha256?: string | undefined;
}

/** A component; its package URL is also how the document refers to it. */
export function component({ type, name, version, purl, licence, sha256 }: Described): Component {
  return {
    type,
    'bom-ref': purl,
    name,
    version,
    ...(sha256 !== undefined && { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    ...(licence !== undefined && { licenses: [licenceChoice(licence)] }),
    purl,
  };
}

/** CycloneDX tells apart one licence of the SPDX list, an expression of several, and any other name. */
function licenceChoice(licence: string): Licence {
  if (/ (AND|OR|WITH) /.test(licence)) return { expression: licence };
  const isIdentifier = /^[\w.+-]+$/.test(licence) && licence !== unknownLicence;
  return { license: isIdentifier ? { id: licence } : { name: licence } };
}

/** Node as one component, and what is linked into its binary within it: a scanner looks for OpenSSL there. */
export function nodeComponent(version: string, parts: readonly (readonly [string, string])[]): Component {
  const node = component({
    type: 'application',
    name: 'node',
    version,
    purl: packageUrl('generic', 'node', version),
    licence: 'MIT',
  });
  return {
    ...node,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    components: parts.map(([name, release]) => {
      return component({
        type: 'library',
        name,
        version: release,
        purl: packageUrl('generic', name, release),
      });
    }),
  };
}
