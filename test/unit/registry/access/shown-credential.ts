import type { Credential } from '../../../../src/registry/index.js';

/** A credential with its secret, for comparison: `USER:PASSWORD` or `token TOKEN`. */
export function shownCredential(credential: Credential | undefined): string | undefined {
  if (credential === undefined) return undefined;
  return credential.kind === 'basic'
    ? `${credential.username}:${credential.password.reveal()}`
    : `token ${credential.token.reveal()}`;
}
