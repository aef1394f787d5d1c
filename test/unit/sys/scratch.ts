// A temporary directory with an fd, for tests of single system calls.

import { afterAll } from 'vitest';
import {
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  AT_FDCWD,
  close,
  must,
  openat,
  pwrite,
} from '../../../src/sys/index.js';
import { tempDir } from '../../helpers/tmp.js';

export interface Scratch {
  readonly path: string;
  /** The directory, open for reading. */
  readonly fd: number;
  /** Makes a file with a content and returns it open for reading and writing, until the end of the test file. */
  file(name: string, content?: string | Uint8Array): number;
}

/** For the whole test file; gone after its last test. */
export function scratch(label: string): Scratch {
  const dir = tempDir(label);
  const fd = must(openat(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY), 'open', dir.path);
  const open: number[] = [fd];
  afterAll(() => {
    for (const each of open) close(each);
    dir.remove();
  });
  return {
    path: dir.path,
    fd,
    file(name, content = '') {
      const file = must(openat(fd, name, O_RDWR | O_CREAT, 0o644), 'open', name);
      must(pwrite(file, Buffer.from(content), 0), 'write', name);
      open.push(file);
      return file;
    },
  };
}
