import assert from 'node:assert/strict';
import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigErrorCode } from '#api/config-errors.ts';
import { ConfigError } from '../config-error.ts';
import type { Transaction } from '../transaction/contract.ts';
import type { TestHost } from './host.ts';

/** A change to `document` whose files lie ready, made by an agent that has just started. */
export async function prepared(host: TestHost, document: ConfigDocument): Promise<Transaction> {
  const files = host.files();
  return files.prepare({ document, plan: await files.plan(document), meta: {} });
}

/** Afterwards `document` is in force. */
export async function change(host: TestHost, document: ConfigDocument): Promise<void> {
  const transaction = await prepared(host, document);
  await transaction.switch();
  assert.equal(await transaction.keep(), true);
}

/** For `assert.rejects`: an error of one of these codes. */
export function failsWith(...wanted: ConfigErrorCode[]) {
  return (error: unknown): true => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(wanted.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}
