// What a module of the bundle imports it loads when it first uses it: a command touches a fraction of what it could.

/** Node has these already when a program begins. */
const LOADED = new Set(['buffer', 'events', 'fs', 'path', 'process', 'url', 'util', 'vm']);

const isLazy = (id) => (id.startsWith('node:') ? !LOADED.has(id.slice(5)) : id.startsWith('./'));

/** A name of its own in a text, and what follows it. */
const word = (name, next) => new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])${next}`, 'gm');

/** `X.a` -> `X().a`, and as what is constructed: `new X.a()` would become a construction of X. */
const called = (text, name) =>
  text
    .replace(
      new RegExp(`(?<![\\w$])new ${word(name, '((?:\\.[\\w$]+)+)').source}`, 'g'),
      (_, path) => `new (${name}()${path})`,
    )
    .replace(word(name, '\\.'), () => `${name}().`);

/** Turns the `require`s at the top of a module, as rolldown writes them, into functions. Throws where a use is left over. */
export function lazily(code) {
  const names = [];
  const defined = code.replace(/^(?:const|let) ([\w$]+) = require\("([^"]+)"\);$/gm, (line, name, id) => {
    // What is assigned again is a whole module made into another shape.
    if (!isLazy(id) || word(name, ' = ').test(code.replace(line, ''))) return line;
    names.push(name);
    return `let ${name}_; const ${name} = () => (${name}_ ??= require("${id}"));`;
  });
  const changed = names.reduce(called, defined);
  for (const name of names) {
    const left = word(name, '(?! = \\(\\) =>|\\(\\))').exec(changed);
    if (left !== null) throw new Error(`cannot load ${name} late: ${changed.slice(left.index - 50, left.index + 50)}`);
  }
  // `import()` of what is outside starts Node's loader of ES modules.
  return changed.replace(/(?<!\* .*)\bimport\("(node:[^"]+)"\)/g, 'Promise.resolve().then(() => require("$1"))');
}
