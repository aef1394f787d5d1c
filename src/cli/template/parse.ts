// From a template's text to its tree.

import { scanTemplate } from './scan.js';
import type { Piece, Token } from './scan.js';
import { TemplateError } from './syntax.js';
import type { Base, Node, Operand, Pipeline } from './syntax.js';

const CONSTANTS: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };

function stringOf({ text }: Token): unknown {
  if (text.startsWith('`')) return text.slice(1, -1);
  // A character is a number in Go.
  const json = text.startsWith("'") ? `"${text.slice(1, -1).replaceAll('"', '\\"').replaceAll("\\'", "'")}"` : text;
  try {
    const value = JSON.parse(json) as string;
    return text.startsWith("'") ? value.codePointAt(0) : value;
  } catch {
    throw new TemplateError(`${text} is not a string`); // JSON's SyntaxError
  }
}

/** Reads the words of one action. */
class ActionReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  #peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  /** Takes the next word if it is this one. */
  accept(text: string): boolean {
    const token = this.#peek();
    if (token?.text !== text || token.kind === 'string') return false;
    this.#at += 1;
    return true;
  }

  end(): void {
    const token = this.#peek();
    if (token !== undefined) throw new TemplateError(`'${token.text}' is not expected here`);
  }

  pipeline(): Pipeline {
    const variables: string[] = [];
    let isNew = true;
    let length = 0;
    while (this.#peek(length)?.kind === 'variable' && this.#peek(length + 1)?.text === ',') length += 2;
    const assigns = this.#peek(length + 1)?.text;
    if (this.#peek(length)?.kind === 'variable' && (assigns === ':=' || assigns === '=')) {
      isNew = assigns === ':=';
      for (let at = 0; at <= length; at += 2) variables.push(this.#peek(at)?.text ?? '');
      this.#at += length + 2;
    }
    const commands = [this.#command()];
    while (this.accept('|')) commands.push(this.#command());
    return { variables, isNew, commands };
  }

  #command(): Operand[] {
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand !== undefined; operand = this.#operand()) operands.push(operand);
    if (operands.length === 0) throw new TemplateError(`a value is missing${this.#where()}`);
    const [head, argument] = operands;
    if (isLabel(head) && operands.length === 2) return [{ kind: 'function', name: 'label' }, ...operands];
    if (argument !== undefined && head?.kind !== 'function') {
      throw new TemplateError('only a function takes arguments');
    }
    return operands;
  }

  #where(): string {
    const token = this.#peek();
    return token === undefined ? '' : ` before '${token.text}'`;
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    if (token === undefined || (token.kind === 'sign' && token.text !== '(')) return undefined;
    this.#at += 1;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: stringOf(token) };
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'word':
        return Object.hasOwn(CONSTANTS, token.text)
          ? { kind: 'literal', value: CONSTANTS[token.text] }
          : { kind: 'function', name: token.text };
      case 'dot':
        return this.#path({ kind: 'dot' }, []);
      case 'field':
        return this.#path({ kind: 'dot' }, [token.text.slice(1)]);
      case 'variable':
        return this.#path({ kind: 'variable', name: token.text }, []);
      case 'sign': {
        const pipeline = this.pipeline();
        if (!this.accept(')')) throw new TemplateError("a '(' is not closed");
        return this.#path({ kind: 'pipeline', pipeline }, []);
      }
    }
  }

  #path(base: Base, first: readonly string[]): Operand {
    const fields = [...first];
    for (let token = this.#peek(); token?.kind === 'field' && token.joined; token = this.#peek()) {
      fields.push(token.text.slice(1));
      this.#at += 1;
    }
    return { kind: 'path', base, fields };
  }
}

/** Reads the actions of a template one after the other. */
class TemplateReader {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  all(): Node[] {
    const { nodes, stop } = this.#list(false);
    if (stop !== undefined) throw new TemplateError(`there is nothing for this '${stop.word}' to end`);
    return nodes;
  }

  /** Up to the end, or to the `else` or `end` that is returned with what follows it. */
  #list(inRange: boolean): { nodes: Node[]; stop?: { word: 'else' | 'end'; rest: ActionReader } } {
    const nodes: Node[] = [];
    for (let piece = this.#pieces[this.#at]; piece !== undefined; piece = this.#pieces[this.#at]) {
      this.#at += 1;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const rest = new ActionReader(piece.tokens);
      const [word] = piece.tokens.filter(({ kind }, at) => at === 0 && kind === 'word');
      switch (word?.text) {
        case 'else':
        case 'end':
          rest.accept(word.text);
          return { nodes, stop: { word: word.text, rest } };
        case 'if':
        case 'with':
        case 'range':
          rest.accept(word.text);
          nodes.push(this.#block(word.text, rest, inRange || word.text === 'range'));
          break;
        case 'break':
        case 'continue':
          if (!inRange) throw new TemplateError(`'${word.text}' is outside of a range`);
          nodes.push({ kind: word.text });
          break;
        default: {
          const pipeline = rest.pipeline();
          rest.end();
          nodes.push({ kind: 'print', pipeline });
        }
      }
    }
    return { nodes };
  }

  #block(kind: 'if' | 'with' | 'range', words: ActionReader, inRange: boolean): Node {
    const pipeline = words.pipeline();
    words.end();
    const { nodes: body, stop } = this.#list(inRange);
    return { kind, pipeline, body, otherwise: this.#otherwise(kind, stop, inRange) };
  }

  #otherwise(
    kind: 'if' | 'with' | 'range',
    stop: { word: 'else' | 'end'; rest: ActionReader } | undefined,
    inRange: boolean,
  ): Node[] {
    if (stop === undefined) throw new TemplateError(`'${kind}' has no '{{end}}'`);
    if (stop.word === 'end') {
      stop.rest.end();
      return [];
    }
    // `else if` shares the end of its if.
    for (const next of ['if', 'with'] as const) {
      if (kind === next && stop.rest.accept(next)) return [this.#block(next, stop.rest, inRange)];
    }
    stop.rest.end();
    const { nodes, stop: last } = this.#list(inRange);
    if (last?.word !== 'end') throw new TemplateError(`'${kind}' has no '{{end}}'`);
    last.rest.end();
    return nodes;
  }
}

/** Throws `TemplateError`. */
export function parseTemplate(template: string): Node[] {
  return new TemplateReader(scanTemplate(template)).all();
}

/** The one method with an argument that docker's rows have: `.Label "KEY"`. */
function isLabel(operand: Operand | undefined): operand is Operand {
  return operand?.kind === 'path' && operand.base.kind === 'dot' && operand.fields.join('.') === 'Label';
}
