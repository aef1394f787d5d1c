// Fields of configuration files, read one by one. What a file says wrongly is told without its values.

import { VeneerError } from '../../core/index.js';

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Reads the fields of one object, which errors call `where`. Absent and null are the same. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#where = where;
    if (!isFields(value)) throw this.malformed('it is not a table');
    this.#fields = value;
  }

  malformed(what: string): VeneerError {
    return new VeneerError('invalid', `malformed ${this.#where}: ${what}`);
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.malformed(`'${name}' is not a string`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.malformed(`'${name}' is neither true nor false`);
  }

  list(name: string): readonly unknown[] {
    const value = this.#value(name) ?? [];
    if (Array.isArray(value)) return value as unknown[];
    throw this.malformed(`'${name}' is not a list`);
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((item) => {
      if (typeof item === 'string') return item;
      throw this.malformed(`'${name}' is not a list of strings`);
    });
  }

  map(name: string): Fields {
    const value = this.#value(name) ?? {};
    if (isFields(value)) return value;
    throw this.malformed(`'${name}' is not a table`);
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }
}
