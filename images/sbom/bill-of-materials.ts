import type { BasePackage } from '../base/stage-base.ts';
import type { NodeRelease } from '../base/node-release.ts';
import type { NpmPackage } from '../programs/npm-package.ts';
import { component, nodeComponent, type Component } from './component.ts';
import { packageUrl } from './package-url.ts';

/** Everything that is in an image. */
export interface ImageContents {
  /** `careen-agent` */
  name: string;
  version: string;
  /** Digest of the manifest: which image this is about. */
  digest: string;
  /** The bundles in /app. */
  programs: readonly { name: string; sha256: string }[];
  node: NodeRelease;
  debian: readonly BasePackage[];
  npm: readonly NpmPackage[];
}

/** A software bill of materials: a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json). */
export interface BillOfMaterials {
  bomFormat: 'CycloneDX';
  specVersion: '1.6';
  version: 1;
  metadata: { lifecycles: [{ phase: 'build' }]; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/** Lists what is in an image. Neither a time nor a serial number: the same image has the same bill. */
export function billOfMaterials(contents: ImageContents): BillOfMaterials {
  const image = imageComponent(contents);
  const components = [
    ...contents.programs.map((program) => programComponent(program, contents.version)),
    nodeComponent(contents.node.version, contents.node.parts),
    ...contents.debian.map(debianComponent),
    ...contents.npm.map(npmComponent),
  ];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { lifecycles: [{ phase: 'build' }], component: image },
    components,
    dependencies: [{ ref: image['bom-ref'], dependsOn: components.map((part) => part['bom-ref']) }],
  };
}

function imageComponent({ name, version, digest }: ImageContents): Component {
  const purl = packageUrl('oci', name, digest, { arch: 'amd64', tag: version });
  const sha256 = digest.slice('sha256:'.length);
  return component({ type: 'container', name, version, purl, licence: 'Apache-2.0', sha256 });
}

function programComponent({ name, sha256 }: { name: string; sha256: string }, version: string): Component {
  const purl = packageUrl('generic', `careen/${name}`, version);
  return component({ type: 'application', name, version, purl, licence: 'Apache-2.0', sha256 });
}

function debianComponent({ name, version, licence, sha256, distribution }: BasePackage): Component {
  const purl = packageUrl('deb', `debian/${name}`, version, { arch: 'amd64', distro: distribution });
  return component({ type: 'library', name, version, purl, licence, sha256 });
}

function npmComponent({ name, version, licence }: NpmPackage): Component {
  return component({ type: 'library', name, version, purl: packageUrl('npm', name, version), licence });
}
