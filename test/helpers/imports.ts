// Reads the imports of source files and holds them against a table of rooms (folders of src/).

import path from 'node:path';
import ts from 'typescript';

export interface Room {
  /** Rooms it may import, through their index.ts. */
  readonly rooms: readonly string[];
  /** Packages and restricted node: modules it may import. */
  readonly externals?: readonly string[];
  /** Files besides index.ts through which others may enter. */
  readonly doors?: readonly string[];
}

export interface Import {
  readonly specifier: string;
  /** Evaluated before the importing file is: not an `import type`, which vanishes, nor an import(), which waits. */
  readonly eager: boolean;
}

/** File name relative to src (`cli/bin.ts`) -> text. */
export type Sources = ReadonlyMap<string, string>;

/** Modules of Node that only some rooms may use; the others are free. */
const RESTRICTED_NODE = ['node:child_process', 'child_process', 'node:cluster', 'node:http', 'node:https', 'node:net'];

/** Every module a file names: static and dynamic imports, re-exports, import types, createRequire's require. */
export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, eager: boolean): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, eager });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, !node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, false);
    else if (ts.isCallExpression(node)) {
      const called = node.expression;
      const loads =
        called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require');
      if (loads) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

const roomOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : 'library');

const resolve = (from: string, specifier: string): string =>
  path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts');

function judge(file: string, specifier: string, table: Readonly<Record<string, Room>>): string | undefined {
  const name = roomOf(file);
  const room = table[name];
  if (room === undefined) return `${file}: '${name}' is no room of the table`;
  if (specifier.startsWith('.')) {
    const target = resolve(file, specifier);
    if (target.startsWith('../')) return `${file}: '${specifier}' leaves src`;
    const other = roomOf(target);
    if (other === name) return undefined;
    if (!room.rooms.includes(other)) return `${file}: ${name} may not import ${other}`;
    const doors = ['index.ts', ...(table[other]?.doors ?? [])];
    if (!doors.some((door) => target === `${other}/${door}`))
      return `${file}: enter ${other} through its index.ts, not '${specifier}'`;
    return undefined;
  }
  if (specifier.startsWith('node:') && !RESTRICTED_NODE.includes(specifier)) return undefined;
  return room.externals?.includes(specifier) === true ? undefined : `${file}: ${name} may not import '${specifier}'`;
}

/** Everything in the sources that breaks the table, one line each. */
export function violations(sources: Sources, table: Readonly<Record<string, Room>>): string[] {
  return [...sources].flatMap(([file, text]) =>
    importsOf(file, text).flatMap(({ specifier }) => judge(file, specifier, table) ?? []),
  );
}

/** The cycles of eager imports between files, each as `a.ts -> b.ts -> a.ts`. */
export function cycles(sources: Sources): string[] {
  const graph = new Map(
    [...sources].map(([file, text]) => [
      file,
      importsOf(file, text)
        .filter(({ specifier, eager }) => eager && specifier.startsWith('.'))
        .map(({ specifier }) => resolve(file, specifier)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.push([...trail.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
