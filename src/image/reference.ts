// Image references as Docker reads and prints them: github.com/distribution/reference, and the OCI
// distribution spec's grammar of names and tags.

import { isDigest, VeneerError } from '../core/index.js';
import type { Digest } from '../core/index.js';

export interface Reference {
  /** Host, with its port if there is one. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` where the text has neither tag nor digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_REGISTRY = 'docker.io';
/** Docker Hub's old name. */
const LEGACY_REGISTRY = 'index.docker.io';
const OFFICIAL = 'library/';
/** RepositoryNameTotalLengthMax of distribution/reference. */
const MAX_NAME_LENGTH = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Would be taken for an image ID. */
const HEX_ID = /^[0-9a-f]{64}$/;

/** HOST[:PORT], where HOST is a name or an address. */
export function isRegistryHost(text: string): boolean {
  return REGISTRY.test(text);
}

/** The path of a name: `library/ubuntu`. */
export function isRepository(text: string): boolean {
  return REPOSITORY.test(text);
}

const FORM = 'a name is [REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST]';

function invalid(text: string, why: string, hint = FORM): VeneerError {
  return new VeneerError('invalid', `'${text.slice(0, 300)}' is not an image name: ${why}`, { hint });
}

/** The first component is a registry if it cannot be part of a repository's path, or is `localhost`. */
function looksLikeRegistry(component: string): boolean {
  return /[.:[]/.test(component) || component === 'localhost' || component !== component.toLowerCase();
}

function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  if (slash < 0 || !looksLikeRegistry(first)) return { registry: DEFAULT_REGISTRY, path: name };
  return { registry: first === LEGACY_REGISTRY ? DEFAULT_REGISTRY : first, path: name.slice(slash + 1) };
}

function checkName(text: string, registry: string, repository: string): void {
  if (registry.length + 1 + repository.length > MAX_NAME_LENGTH)
    throw invalid(text, 'it is longer than 255 characters');
  if (!REGISTRY.test(registry)) throw invalid(text, `'${registry.slice(0, 100)}' is not a registry host`);
  if (repository === '') throw invalid(text, 'the repository is missing');
  if (repository !== repository.toLowerCase()) throw invalid(text, 'a repository is lower case');
  if (!REPOSITORY.test(repository)) {
    throw invalid(text, 'a repository has lower-case letters, digits and single separators (. _ __ -) between them');
  }
}

/** Parses what people type: `ubuntu` is docker.io/library/ubuntu:latest. Throws `invalid`, saying why. */
export function parseReference(text: string): Reference {
  if (HEX_ID.test(text)) throw invalid(text, 'it is a full image ID');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//.exec(text)?.[0];
  if (scheme !== undefined) throw invalid(text, 'it is a URL', `leave out '${scheme}'`);
  const atSign = text.indexOf('@');
  const digest = atSign < 0 ? undefined : text.slice(atSign + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'what follows @ is not a sha256 digest');
  const tagged = atSign < 0 ? text : text.slice(0, atSign);
  // A colon before the last slash belongs to the registry's port.
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : tagged.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) {
    throw invalid(text, 'a tag has up to 128 letters, digits, _ . -, and does not start with . or -');
  }
  const { registry, path } = splitRegistry(colon < 0 ? tagged : tagged.slice(0, colon));
  const repository = registry === DEFAULT_REGISTRY && path !== '' && !path.includes('/') ? OFFICIAL + path : path;
  checkName(text, registry, repository);
  if (digest === undefined) return { registry, repository, tag: tag ?? 'latest' };
  return tag === undefined ? { registry, repository, digest } : { registry, repository, tag, digest };
}

/** True for a text without tag and digest, which can stand for a whole repository. */
export function isNameOnly(text: string): boolean {
  return !/[:@]/.test(text.slice(text.lastIndexOf('/') + 1));
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

/** The full form, one per image name: `docker.io/library/ubuntu:latest`. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/** The name without tag and digest, as Docker prints it in the REPOSITORY column: `ubuntu`. */
export function familiarName(reference: Reference): string {
  const { registry, repository } = reference;
  if (registry !== DEFAULT_REGISTRY) return `${registry}/${repository}`;
  const short = repository.startsWith(OFFICIAL) ? repository.slice(OFFICIAL.length) : repository;
  if (!short.includes('/')) return repository.startsWith(OFFICIAL) ? short : `${registry}/${repository}`;
  // Without its registry, a repository whose first component looks like one would be read differently.
  return looksLikeRegistry(repository.slice(0, repository.indexOf('/'))) ? `${registry}/${repository}` : repository;
}

/** The short form Docker prints: `ubuntu:latest`. `parseReference` reads it back to the same reference. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** What a repository is asked for: by the digest, which counts where there are both, or by the tag. */
export function tagOrDigest({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}
