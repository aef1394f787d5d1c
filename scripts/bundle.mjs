// The programs in few files: `dist/program`, from what the compiler left in `dist`. Node takes longer to find, open and compile a
// module than to run it, and a mount starts two programs: what mounts and what serves. So each is one file of modules, which are
// loaded when they are used, with what V8 has made of them beside it.
// What imports veneer gets the modules as they are, and the same server.
//
// Usage: node scripts/bundle.mjs [DIST]

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { lazily } from './bundle/lazy.mjs';
import { nativePackages } from './bundle/native.mjs';
import { pack } from './bundle/pack.mjs';

const dist = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '../dist'));
const dir = path.join(dist, 'program');

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

/** What commander needs for commands that are programs of their own. */
const CHILD_PROCESS = "const childProcess = require('node:child_process');";

const lateInCommander = {
  name: 'late-in-commander',
  transform: (code, id) =>
    id.endsWith('/commander/lib/command.js')
      ? code.replace(
          CHILD_PROCESS,
          "const childProcess = { spawn: (...args) => require('node:child_process').spawn(...args) };",
        )
      : undefined,
};

async function bundle(name, module) {
  const build = await rolldown({
    input: { [name]: path.join(dist, module) },
    platform: 'node',
    // Native, so files of their own in any case.
    external: ['bindings', 'fuse-native', 'koffi'],
    // What is imported from outside and not used is not loaded.
    treeshake: { moduleSideEffects: 'no-external' },
    plugins: [partsOfUndici, nativePackages, lateInCommander],
  });
  const { output } = await build.generate({
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
  });
  return output.map(({ fileName, code }) => [fileName, lazily(code)]);
}

/** For sh, and nothing to Node: see src/cli/certificates.ts. */
const LAUNCHER = `#!/bin/sh
':' //; [ -z "$NODE_EXTRA_CA_CERTS" ] || { export VENEER_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"; unset NODE_EXTRA_CA_CERTS; }; exec node -- "$0" "$@"
`;

rmSync(dir, { recursive: true, force: true });
mkdirSync(dir);
pack({ dir, name: 'veneer', modules: await bundle('veneer', 'cli/bin.js'), firstLines: LAUNCHER });
pack({ dir, name: 'server-main', modules: await bundle('server-main', 'overlay/server-main.js') });
copyFileSync(path.join(import.meta.dirname, 'bundle/compile.cjs'), path.join(dir, 'compile.cjs'));
execFileSync(process.execPath, [path.join(dir, 'compile.cjs')], { stdio: 'inherit' });
