// The programs in few files: `dist/program`, from what the compiler left in `dist`. Node takes longer to find and open a module
// than to run it, and a mount starts two programs: what mounts and what serves, each in one piece. Of all other commands, what
// several share is cut out.
// What imports veneer gets the modules as they are, and the same server.
//
// Usage: node scripts/bundle.mjs [DIST]

import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'rolldown';

const dist = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '../dist'));
const dir = path.join(dist, 'program');

/** The program of all other commands, which the first one loads when it is asked for one. */
const otherCommands = {
  name: 'other-commands',
  resolveId: (source) => (source === './program.js' ? { id: './program.cjs', external: true } : undefined),
  // `import()` of a file starts Node's loader of ES modules, which reads the whole file for its exports first.
  renderChunk: (code) => code.replace('import("./program.cjs")', 'require("./program.cjs")'),
};

const { resolve } = createRequire(import.meta.url);

/** Of undici what we use: its index loads all of it, fetch and WebSockets too, which takes 40 ms and 9 MB. */
const partsOfUndici = {
  name: 'parts-of-undici',
  resolveId: (source) => (source === 'undici' ? '\0undici' : undefined),
  load(id) {
    if (id !== '\0undici') return undefined;
    const part = (file) => JSON.stringify(resolve(`undici/lib/${file}`));
    return `
      import Dispatcher from ${part('dispatcher/dispatcher.js')};
      import api from ${part('api/index.js')};
      Object.assign(Dispatcher.prototype, api);
      export { default as Agent } from ${part('dispatcher/agent.js')};
      export { default as ProxyAgent } from ${part('dispatcher/proxy-agent.js')};
    `;
  },
};

const bundle = (name, module, { prefix = '', plugins = [] } = {}) =>
  build({
    input: { [name]: path.join(dist, module) },
    platform: 'node',
    // Native, so files of their own in any case.
    external: ['better-sqlite3', 'fuse-native', 'koffi'],
    // What is imported from outside and not used is not loaded.
    treeshake: { moduleSideEffects: 'no-external' },
    plugins: [partsOfUndici, ...plugins],
    output: { dir, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: `${prefix}[name].cjs` },
  });

rmSync(dir, { recursive: true, force: true });
await bundle('veneer', 'cli/bin.js', { prefix: 'veneer-', plugins: [otherCommands] });
await bundle('program', 'cli/program.js');
await bundle('server-main', 'overlay/server-main.js', { prefix: 'server-' });
