// The tree of a template: the part of Go's text/template (pkg.go.dev/text/template) that docker's --format can use.

/** A literal, a value with field names after it, or a function's name. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly base: Base; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

/** The dot, a variable (`$` alone is the data), or a pipeline in parentheses. */
export type Base =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

export interface Pipeline {
  /** `$x := ...`, `$i, $x := ...` in a range; `isNew` is false for `$x = ...`. */
  readonly variables: readonly string[];
  readonly isNew: boolean;
  /** Each gets the value of the one before as its last argument. */
  readonly commands: readonly (readonly Operand[])[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue' };

/** Says what is wrong with a template, without the template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
