const NUMBER = '(0|[1-9][0-9]{0,15})';
const SEMANTIC = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$`,
);

/** Whether a machine's version is one of Semantic Versioning 2.0.0, of at most 64 characters. */
export function isSemanticVersion(version: string | undefined): version is string {
  return version !== undefined && version.length <= 64 && SEMANTIC.test(version);
}
