// What a file with credentials says: Docker's config.json, containers-auth.json(5), or the .dockercfg of old.

import { readAuthEntry } from './auth-entry.js';
import { namesFor, registryOfKey } from './auth-keys.js';
import { FieldReader, isFields } from './fields.js';
import type { Fields } from './fields.js';
import { parseJsonFile } from './small-file.js';
import type { Credential } from './types.js';

export type AuthFormat = 'docker' | 'containers' | 'legacy';

export class AuthDocument {
  readonly #path: string;
  readonly #isLegacy: boolean;
  readonly #root: Fields;
  readonly #auths: Fields;
  readonly #helpers: Fields;
  /** The helper for all registries that have none of their own. */
  readonly commonHelper: string | undefined;

  /** Throws `invalid`, naming the file. Of `auths`, only the entries that are asked for are looked at. */
  constructor(text: string, path: string, format: AuthFormat) {
    this.#path = path;
    this.#isLegacy = format === 'legacy';
    this.#root = parseJsonFile(text, path);
    const reader = new FieldReader(this.#isLegacy ? {} : this.#root, `'${path}'`);
    this.#auths = this.#isLegacy ? this.#root : reader.map('auths');
    this.#helpers = reader.map('credHelpers');
    const common = reader.text('credsStore');
    this.commonHelper = common === '' ? undefined : common;
  }

  /** As it is written before what amounts to the same. */
  #keysOf(name: string): string[] {
    const keys = Object.keys(this.#auths).filter((key) => registryOfKey(key, this.#isLegacy) === name);
    return keys.sort((a, b) => Number(b === name) - Number(a === name));
  }

  /** The credential of the longest name that has one. Throws `invalid` for an entry that cannot be understood. */
  find(registry: string, repository?: string): Credential | undefined {
    for (const key of namesFor(registry, repository).flatMap((name) => this.#keysOf(name))) {
      const credential = readAuthEntry(this.#auths[key], `entry '${key}' in '${this.#path}'`);
      if (credential !== undefined) return credential;
    }
    return undefined;
  }

  /** Whether there is more than an empty entry for this very name. */
  has(name: string): boolean {
    return this.#keysOf(name).some((key) => !isFields(this.#auths[key]) || Object.keys(this.#auths[key]).length > 0);
  }

  /** The helper for a registry: its own, else the common one. An own one without a name says that the file keeps the entry. */
  helperFor(registry: string): { readonly name: string; readonly isOwn: boolean } | undefined {
    const [name = ''] = namesFor(registry);
    const key = Object.keys(this.#helpers).find((it) => registryOfKey(it, false) === name);
    const own =
      key === undefined ? undefined : new FieldReader(this.#helpers, `'credHelpers' in '${this.#path}'`).text(key);
    const helper = own ?? this.commonHelper ?? '';
    return helper === '' ? undefined : { name: helper, isOwn: own !== undefined };
  }

  /** The registries with a helper for them alone. */
  helped(): string[] {
    return Object.keys(this.#helpers).map((key) => registryOfKey(key, false));
  }

  /** The names of `auths`. */
  names(): string[] {
    return [...new Set(Object.keys(this.#auths).map((key) => registryOfKey(key, this.#isLegacy)))];
  }

  /** The file with one entry for a key, in the place of all that amount to the same. */
  with(key: string, entry: Fields): string {
    const rest = this.#without([registryOfKey(key, this.#isLegacy)]);
    return this.#text({ ...rest, [key]: entry });
  }

  /** The file without entries for these names; undefined if it has none. */
  without(names: readonly string[]): string | undefined {
    const rest = this.#without(names);
    return Object.keys(rest).length === Object.keys(this.#auths).length ? undefined : this.#text(rest);
  }

  #without(names: readonly string[]): Fields {
    const entries = Object.entries(this.#auths);
    return Object.fromEntries(entries.filter(([key]) => !names.includes(registryOfKey(key, this.#isLegacy))));
  }

  /** As Docker and podman write it. */
  #text(auths: Fields): string {
    return JSON.stringify(this.#isLegacy ? auths : { ...this.#root, auths }, undefined, '\t');
  }
}
