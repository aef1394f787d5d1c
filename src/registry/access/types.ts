// What the client must know of a registry: where it is and how it is spoken to (RegistryConfig), and as whom (CredentialSource).

import type { Secret } from './secret.js';

export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'identity-token'; readonly token: Secret; readonly username?: string };

/** Whom a request is for. */
export interface Audience {
  /** Host, with its port if there is one; `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly repository?: string;
  /** Not the host that the user named, but a mirror or what configuration has put in its place: what the command line gives is not for it. */
  readonly isSubstitute?: boolean;
}

export interface CredentialSource {
  find(name: Audience): Promise<Credential | undefined>;
}

export interface EndpointTls {
  /** Undefined where nothing was said of it: certificates are verified, unless the host is a loopback address. */
  readonly verify: boolean | undefined;
  /** All certificates that are trusted, in PEM; undefined: those of Node. */
  readonly ca?: readonly string[];
  /** The client's certificate and its key, in PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** One place from which a repository can be had. */
export interface Endpoint {
  /** Host, with its port if there is one; `docker.io` for Docker Hub. */
  readonly origin: string;
  /** The path of its URL before `/v2/`, without a slash at its end: `''` but for mirrors in a sub-directory. */
  readonly prefix: string;
  /** Its name there. */
  readonly repository: string;
  /** For `CredentialSource.find`. */
  readonly credentialsOf: Audience;
  readonly isMirror: boolean;
  readonly tls: EndpointTls;
}

export interface EndpointUse {
  /** Tag or digest; without one, as for blobs, mirrors for tags and mirrors for digests both do. */
  readonly reference?: string;
  /** For a push or a login: the registry as it was named, where reading may be sent elsewhere. */
  readonly write?: boolean;
}

export interface RegistryConfig {
  /** In the order to try: mirrors, then the registry itself. Throws `permission` for one that is blocked. */
  endpoints(name: { readonly registry: string; readonly repository: string }, use: EndpointUse): Endpoint[];
}
