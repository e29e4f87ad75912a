import { createPublicKey, hash } from 'node:crypto';

/** Keys of a channel by what they sign. */
export interface TrustedKeys {
  /** minisign's, for payload manifests of the careen agent. */
  minisign: readonly string[];
  /** PEM, for payloads of update_engine. */
  pem: readonly string[];
}

export function sortKeys(keys: readonly string[]): TrustedKeys {
  return { minisign: keys.filter((key) => !isPem(key)), pem: keys.filter(isPem) };
}

/** SHA-256 in hex by which a key is told: of the DER of a PEM, however its lines are broken; of minisign's text. */
export function keyFingerprint(key: string): string {
  return hash('sha256', isPem(key) ? key.replace(/-----[^-]+-----|\s/g, '') : key);
}

/** Why a key in PEM cannot be used; nothing if it can. The API server sees its shape only. */
export function keyProblem(key: string): string | undefined {
  if (!isPem(key)) return undefined;
  try {
    const type = createPublicKey(key).asymmetricKeyType;
    return type === 'rsa' ? undefined : `a key in PEM is ${type}; update_engine knows rsa only`;
  } catch {
    return 'a key in PEM cannot be read; copy the whole file that openssl rsa -pubout wrote';
  }
}

function isPem(key: string): boolean {
  return key.startsWith('-----');
}
