// Runs a template's tree over data.

import { ARITY, FUNCTIONS } from './functions.js';
import type { TemplateFunction } from './functions.js';
import { TemplateError } from './syntax.js';
import type { Base, Node, Operand, Pipeline } from './syntax.js';
import { entriesOf, isTrue, member, show } from './values.js';

/** Names to values, with those of the surrounding blocks behind them. */
class Scope {
  readonly #values = new Map<string, unknown>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  declare(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  assign(name: string, value: unknown): void {
    if (this.#values.has(name)) this.#values.set(name, value);
    else if (this.#outer !== undefined) this.#outer.assign(name, value);
    else throw new TemplateError(`there is no variable '${name}'`);
  }

  get(name: string): unknown {
    if (this.#values.has(name)) return this.#values.get(name);
    if (this.#outer === undefined) throw new TemplateError(`there is no variable '${name}'`);
    return this.#outer.get(name);
  }
}

/** How a list of nodes ended. */
type Outcome = 'break' | 'continue' | undefined;

type Functions = ReadonlyMap<string, TemplateFunction>;

class Run {
  readonly #root: unknown;
  readonly #functions: Functions;
  output = '';

  constructor(root: unknown, functions: Functions) {
    this.#root = root;
    this.#functions = functions;
  }

  all(nodes: readonly Node[], dot: unknown, outer: Scope): Outcome {
    const scope = new Scope(outer);
    for (const node of nodes) {
      const outcome = this.#node(node, dot, scope);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #node(node: Node, dot: unknown, scope: Scope): Outcome {
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return undefined;
      case 'break':
      case 'continue':
        return node.kind;
      case 'print': {
        const value = this.#pipeline(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) this.output += show(value);
        return undefined;
      }
      case 'range':
        return this.#range(node, dot, new Scope(scope));
      default: {
        const inner = new Scope(scope);
        const value = this.#pipeline(node.pipeline, dot, inner);
        const at = node.kind === 'with' && isTrue(value) ? value : dot;
        return this.all(isTrue(value) ? node.body : node.otherwise, at, inner);
      }
    }
  }

  #range(node: Extract<Node, { pipeline: Pipeline; body: unknown }>, dot: unknown, scope: Scope): Outcome {
    const { variables, ...rest } = node.pipeline;
    const value = this.#pipeline({ ...rest, variables: [] }, dot, scope);
    const items = itemsOf(value);
    if (items.length === 0) return this.all(node.otherwise, dot, scope);
    for (const [key, item] of items) {
      const [first, second] = variables;
      if (second !== undefined) {
        scope.declare(first ?? '', key);
        scope.declare(second, item);
      } else if (first !== undefined) scope.declare(first, item);
      if (this.all(node.body, item, scope) === 'break') break;
    }
    return undefined;
  }

  #pipeline({ variables, isNew, commands }: Pipeline, dot: unknown, scope: Scope): unknown {
    const value = commands.reduce<{ value: unknown } | undefined>(
      (piped, command) => ({ value: this.#command(command, piped, dot, scope) }),
      undefined,
    )?.value;
    const [name] = variables;
    if (name !== undefined) {
      if (isNew) scope.declare(name, value);
      else scope.assign(name, value);
    }
    return value;
  }

  #command(operands: readonly Operand[], piped: { value: unknown } | undefined, dot: unknown, scope: Scope): unknown {
    const [head, ...rest] = operands;
    if (head?.kind !== 'function') {
      if (piped !== undefined) throw new TemplateError("what follows a '|' must be a function");
      return head === undefined ? undefined : this.#value(head, dot, scope);
    }
    const lazy = rest.map((operand) => () => this.#value(operand, dot, scope));
    return this.#call(head.name, piped === undefined ? lazy : [...lazy, () => piped.value]);
  }

  #value(operand: Operand, dot: unknown, scope: Scope): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'function':
        return this.#call(operand.name, []);
      case 'path': {
        const base = this.#base(operand.base, dot, scope);
        const [first] = operand.fields;
        if (first !== undefined && base === this.#root) refuseUnknown(base, first);
        return operand.fields.reduce(member, base);
      }
    }
  }

  #base(base: Base, dot: unknown, scope: Scope): unknown {
    if (base.kind === 'dot') return dot;
    return base.kind === 'variable' ? scope.get(base.name) : this.#pipeline(base.pipeline, dot, scope);
  }

  /** Functions get values, but for `and` and `or`, which stop at the first that decides. */
  #call(name: string, lazy: readonly (() => unknown)[]): unknown {
    const [least = 0, most = Infinity] = ARITY.get(name) ?? [];
    if (lazy.length < least || lazy.length > most) {
      const wanted = least === most ? String(least) : `${String(least)} or more`;
      throw new TemplateError(
        `'${name}' needs ${wanted} value${least === 1 && most === 1 ? '' : 's'}, not ${String(lazy.length)}`,
      );
    }
    if (name === 'and' || name === 'or') {
      let value: unknown;
      for (const next of lazy) {
        value = next();
        if (isTrue(value) === (name === 'or')) break;
      }
      return value;
    }
    const apply = this.#functions.get(name);
    if (apply === undefined) throw new TemplateError(`'${name}' is not a function known here`);
    return apply(...lazy.map((value) => value()));
  }
}

/** A field of the data itself must be there, so that a misspelt one is not an empty column. */
function refuseUnknown(data: unknown, name: string): void {
  const isMap = typeof data === 'object' && data !== null && !Array.isArray(data);
  if (isMap && Object.hasOwn(data, name)) return;
  const known = isMap ? Object.keys(data).join(', ') : '';
  throw new TemplateError(`there is no field '${name}' (there is ${known})`);
}

function itemsOf(value: unknown): readonly (readonly [key: string | number, item: unknown])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item: unknown, at) => [at, item] as const);
  if (typeof value === 'number') return [...Array(Math.min(Math.max(value, 0), 1e6)).keys()].map((at) => [at, at]);
  const entries = entriesOf(value);
  if (entries === undefined) throw new TemplateError(`'range' over ${show(value)}`);
  return entries;
}

/** Throws `TemplateError`. */
export function runTemplate(nodes: readonly Node[], data: unknown, functions: Functions = FUNCTIONS): string {
  const scope = new Scope();
  scope.declare('$', data);
  const run = new Run(data, functions);
  run.all(nodes, data, scope);
  return run.output;
}
