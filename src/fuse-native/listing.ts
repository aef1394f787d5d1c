// A whole directory at once, as `fuse-native` wants it.

import { Entry } from '../fuse/index.js';
import type { DirectorySink, Filesystem } from '../fuse/index.js';
import type { ShortInos } from './attributes.js';
import type { NativeStat } from './library.js';
import { textOf } from './text.js';

/** S_IFMT is the directory entry's type, shifted. */
const TYPE_SHIFT = 12;

/** All names that are UTF-8, with inode numbers and types; -errno. */
export function listDirectory(
  filesystem: Filesystem,
  nodeid: number,
  inos: ShortInos,
): { names: string[]; stats: NativeStat[] } | number {
  const names: string[] = [];
  const stats: NativeStat[] = [];
  const sink: DirectorySink = {
    plus: false,
    entry: new Entry(),
    fits: () => true,
    add: (name, type) => {
      const text = textOf(name);
      if (text === undefined) return;
      names.push(text);
      stats.push({ mode: type << TYPE_SHIFT, ino: inos.of(sink.entry.attr) });
    },
  };
  const status = filesystem.readdir(nodeid, 0, sink);
  return status < 0 ? status : { names, stats };
}
