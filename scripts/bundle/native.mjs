// The native packages without what they do to find their native parts, which takes longer than to load those: their files are
// where npm puts them, or the package is asked, as it is where another version is installed than the program was made with.

import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

const KOFFI = `
  import { existsSync } from 'node:fs';
  import { findPackage, loadNative } from '\0native';
  const VERSION = ${JSON.stringify(require('koffi').version)};
  const PLATFORM = 'linux_' + process.arch;

  function native() {
    // What other processors are called depends on more.
    if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined;
    const dir = findPackage('@koromix/koffi-linux-' + process.arch, VERSION);
    const file = dir + '/' + PLATFORM + '/koffi.node';
    if (dir === undefined || !existsSync(file)) return undefined;
    try {
      return loadNative(file);
    } catch {
      // It needs another libc.
      return undefined;
    }
  }

  let koffi;
  export const loadKoffi = () => (koffi ??= native() ?? require('koffi'));
`;

const SQLITE = `
  import Bundled from ${JSON.stringify(path.join(path.dirname(require.resolve('better-sqlite3/package.json')), 'lib/index.js'))};
  import { existsSync } from 'node:fs';
  import { findPackage, loadNative } from '\0native';
  const VERSION = ${JSON.stringify(require('better-sqlite3/package.json').version)};

  const dir = findPackage('better-sqlite3', VERSION);
  const file = dir + '/build/Release/better_sqlite3.node';
  let nativeBinding;

  class Sqlite extends Bundled {
    constructor(name, options) {
      super(name, { ...options, nativeBinding: (nativeBinding ??= loadNative(file)) });
    }
  }
  Sqlite.SqliteError = Bundled.SqliteError;
  export default dir !== undefined && existsSync(file) ? Sqlite : require('better-sqlite3');
`;

const NATIVE = `
  import { readFileSync } from 'node:fs';
  import { dirname } from 'node:path';

  function versionIn(dir) {
    try {
      return JSON.parse(readFileSync(dir + '/package.json', 'utf8')).version;
    } catch {
      return undefined;
    }
  }

  /** The directory of a package as \`require\` finds it, where it is of this version. */
  export function findPackage(name, version) {
    for (let dir = __dirname; ; dir = dirname(dir)) {
      const found = versionIn(dir + '/node_modules/' + name);
      if (found !== undefined) return found === version ? dir + '/node_modules/' + name : undefined;
      if (dir === dirname(dir)) return undefined;
    }
  }

  export function loadNative(file) {
    const module = { exports: {} };
    process.dlopen(module, file);
    return module.exports;
  }
`;

const MODULES = { '\0native': NATIVE, '\0koffi': KOFFI, '\0better-sqlite3': SQLITE };

export const nativePackages = {
  name: 'native-packages',
  resolveId(source, importer) {
    if (source in MODULES) return source;
    // Itself asks for the package where that is another one.
    if (source === 'better-sqlite3')
      return importer?.startsWith('\0') ? { id: source, external: true } : '\0better-sqlite3';
    return source === './koffi.js' && importer?.endsWith('/sys/libc.js') ? '\0koffi' : undefined;
  },
  load: (id) => MODULES[id],
};
