const TYPE =
  /^(?:(.*\S)\s+)?((?:ssh|ecdsa|sk-ssh|sk-ecdsa|webauthn-sk-ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]{16,}=*)(?:\s.*)?$/;

/** A line of authorized_keys, taken apart; undefined for what is no public key (sshd(8)). */
export function authorizedKey(line: string): { options: string; type: string; blob: string } | undefined {
  const [, options = '', type, blob] = TYPE.exec(line.trim()) ?? [];
  return type === undefined || blob === undefined ? undefined : { options, type, blob };
}
