import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { DEV_SECRET_PREFIX } from '../config.ts';
import { writePrivate } from './stack-file.ts';

/** The keys of one home, made at its first start. Production refuses them by their prefix and issuer. */
export interface DevSecrets {
  postgresPassword: string;
  cursorSecret: string;
  guestSecret: string;
  /** Private ES256 key of the development issuer. */
  issuerKey: JWK;
}

export async function devSecrets(path: string): Promise<DevSecrets> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as DevSecrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const random = () => DEV_SECRET_PREFIX + randomBytes(32).toString('base64url');
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = randomBytes(8).toString('hex');
  const secrets = {
    postgresPassword: random(),
    cursorSecret: random(),
    guestSecret: random(),
    issuerKey: { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' },
  };
  writePrivate(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}
