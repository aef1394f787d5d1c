// Results on stdout: aligned tables as docker prints them, JSON lines, or a template's text.

import { compileTemplate, headingTemplate } from './template.js';
import { cleanJson, cleanLines, cleanText, padText, textWidth } from './text.js';

/** One line of a listing: field name (as in docker's templates) -> text. */
export type Row = Readonly<Record<string, string>>;

export function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes what a template made: as it is for programs, without what steers a terminal for people. */
export function writeRendered(text: string): void {
  process.stdout.write(process.stdout.isTTY ? cleanLines(text) : text);
}

/** Writes a document's very bytes; on a terminal harmless, and with a line's end. */
export function writeDocument(bytes: Buffer): void {
  if (process.stdout.isTTY) writeRendered(`${bytes.toString('utf8')}\n`);
  else process.stdout.write(bytes);
}

/** A document as JSON that is safe on any terminal. */
export function toJson(value: unknown, indent?: number): string {
  return cleanJson(JSON.stringify(value, undefined, indent));
}

/** docker's tabwriter settings. */
const MIN_WIDTH = 10;
const PADDING = 3;

/** Columns padded to their widest cell; the last one is not padded. Cells are one line, and cannot steer a terminal. */
export function formatTable(table: readonly (readonly string[])[]): string {
  const lines = table.map((line) => line.map((cell) => cleanText(cell.replace(/[\t\n\r]+/g, ' '))));
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, textWidth(cell) + PADDING);
    }
  }
  const pad = (cell: string, column: number, last: number): string =>
    column === last ? cell : padText(cell, widths[column] ?? 0);
  return lines.map((line) => `${line.map((cell, at) => pad(cell, at, line.length - 1)).join('')}\n`).join('');
}

export interface Listing {
  /** Heading -> field, in order: what the table shows. */
  readonly columns: readonly (readonly [heading: string, field: string])[];
  /** Headings of fields that a template may ask for besides; without one, a field's name in capitals. */
  readonly headings?: Readonly<Record<string, string>>;
  /** The one field that --quiet prints. */
  readonly key: string;
}

export interface ListingOptions {
  readonly quiet?: true;
  readonly format?: string;
}

function templated(rows: readonly Row[], { columns, headings = {} }: Listing, template: string): string {
  const isTable = /^table(\s|\\t|$)/.test(template);
  const body = isTable ? template.replace(/^table(\s|\\t)*/, '') : template;
  const render = compileTemplate(body);
  const lines = rows.map((row) => render(row));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const known = { ...headings, ...Object.fromEntries(columns.map(([heading, field]) => [field, heading])) };
  const fields = Object.keys(rows[0] ?? known);
  const head = {
    Label: '',
    ...Object.fromEntries(fields.map((field) => [field, known[field] ?? field.toUpperCase()])),
  };
  return formatTable([headingTemplate(body)(head), ...lines].map((line) => line.split('\t')));
}

/** A listing's text: --quiet its keys, --format json one object a line, --format TEMPLATE, or the table. */
export function listingText(rows: readonly Row[], listing: Listing, options: ListingOptions = {}): string {
  const { quiet, format } = options;
  if (format === 'json') return rows.map((row) => `${toJson(row)}\n`).join('');
  if (format !== undefined && format !== 'table') return templated(rows, listing, format);
  if (quiet === true) return rows.map((row) => `${row[listing.key] ?? ''}\n`).join('');
  const { columns } = listing;
  const lines = rows.map((row) => columns.map(([, field]) => row[field] ?? ''));
  return formatTable([columns.map(([heading]) => heading), ...lines]);
}

export function printListing(rows: readonly Row[], listing: Listing, options: ListingOptions): void {
  writeRendered(listingText(rows, listing, options));
}

/** The help text of a listing's --format. */
export const FORMAT_HELP = "'json' (an object a line), 'table TEMPLATE', or a template such as '{{.ID}} {{.Size}}'";
