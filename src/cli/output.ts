// Results on stdout: aligned tables as docker prints them, JSON lines, or a template's text.

import { compileTemplate } from './template.js';

/** One line of a listing: field name (as in docker's templates) -> text. */
export type Row = Readonly<Record<string, string>>;

export function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** docker's tabwriter settings. */
const MIN_WIDTH = 10;
const PADDING = 3;

/** Columns padded to their widest cell; the last one is not padded. */
export function formatTable(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, cell.length + PADDING);
    }
  }
  const pad = (cell: string, column: number, last: number): string =>
    column === last ? cell : cell.padEnd(widths[column] ?? 0);
  return lines.map((line) => `${line.map((cell, at) => pad(cell, at, line.length - 1)).join('')}\n`).join('');
}

export interface Listing {
  /** Heading -> field, in order: what the table shows. */
  readonly columns: readonly (readonly [heading: string, field: string])[];
  /** The one field that --quiet prints. */
  readonly key: string;
}

export interface ListingOptions {
  readonly quiet?: true;
  readonly format?: string;
}

function templated(rows: readonly Row[], { columns }: Listing, template: string): string {
  const isTable = /^table(\s|\\t|$)/.test(template);
  const render = compileTemplate(isTable ? template.replace(/^table(\s|\\t)*/, '') : template);
  const lines = rows.map((row) => render(row));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  // A table's heading is the template rendered with the columns' headings.
  const fields = Object.keys(rows[0] ?? Object.fromEntries(columns.map(([, field]) => [field, ''])));
  const headings = Object.fromEntries(
    fields.map((field) => [field, columns.find(([, of]) => of === field)?.[0] ?? field.toUpperCase()]),
  );
  return formatTable([render(headings), ...lines].map((line) => line.split('\t')));
}

/** Prints a listing: --quiet its keys, --format json one object a line, --format TEMPLATE, or the table. */
export function printListing(rows: readonly Row[], listing: Listing, { quiet, format }: ListingOptions): void {
  let text: string;
  if (format === 'json') text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  else if (format !== undefined && format !== 'table') text = templated(rows, listing, format);
  else if (quiet === true) text = rows.map((row) => `${row[listing.key] ?? ''}\n`).join('');
  else {
    const { columns } = listing;
    const lines = rows.map((row) => columns.map(([, field]) => row[field] ?? ''));
    text = formatTable([columns.map(([heading]) => heading), ...lines]);
  }
  process.stdout.write(text);
}

/** The help text of a listing's --format. */
export const FORMAT_HELP = "'json' (an object a line), 'table TEMPLATE', or a template such as '{{.ID}} {{.Size}}'";
