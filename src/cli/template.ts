// docker's --format: Go's text/template, as far as formats go.

import { messageOf, VeneerError } from '../core/index.js';
import { FUNCTIONS, HEADING_FUNCTIONS } from './template/functions.js';
import { parseTemplate } from './template/parse.js';
import { runTemplate } from './template/run.js';
import { TemplateError } from './template/syntax.js';
import type { Node } from './template/syntax.js';

export { NIL_LIST, NIL_MAP } from './template/values.js';

type Render = (data: unknown) => string;

const HINT =
  'write fields as {{.Name}}, and functions as {{json .Name}}, {{upper .Name}}, {{join .Name ","}}; \'json\' alone prints JSON';

function guarded<Result>(template: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new VeneerError('usage', `--format '${template}': ${messageOf(error)}`, { hint: HINT });
  }
}

/** The names of the functions called anywhere in a tree. */
function functionsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(functionsOf);
  if (typeof value !== 'object' || value === null) return [];
  if ('kind' in value && value.kind === 'function' && 'name' in value) return [String(value.name)];
  return Object.values(value).flatMap(functionsOf);
}

function compile(template: string): Node[] {
  const nodes = parseTemplate(template);
  const unknown = functionsOf(nodes).find((name) => !FUNCTIONS.has(name) && name !== 'and' && name !== 'or');
  if (unknown !== undefined) throw new TemplateError(`'${unknown}' is not a function known here`);
  return nodes;
}

/**
 * Compiles a template. Throws `usage` for what it does not understand, and when it is rendered for a field that the data
 * does not have or a function that does not take the value.
 */
export function compileTemplate(template: string): Render {
  const nodes = guarded(template, () => compile(template));
  return (data) => guarded(template, () => runTemplate(nodes, data));
}

/** The heading of a table: the template with the headings in the place of fields, which functions leave as they are. */
export function headingTemplate(template: string): Render {
  const nodes = guarded(template, () => compile(template));
  return (headings) => guarded(template, () => runTemplate(nodes, headings, HEADING_FUNCTIONS));
}
