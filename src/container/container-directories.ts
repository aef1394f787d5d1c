// Where in the directory of a container everything is.

import { join } from 'node:path';

export interface ContainerDirectories {
  readonly upper: string;
  readonly work: string;
  /** In `work`: what the overlay knows of hard links that span layers. */
  readonly index: string;
  readonly merged: string;
  /** Of its server. */
  readonly log: string;
  /** What the container has written, as conmon keeps it. */
  readonly outputLog: string;
}

export function containerDirectories(directory: string): ContainerDirectories {
  const below = (name: string): string => join(directory, name);
  return {
    upper: below('upper'),
    work: below('work'),
    index: below('work/index'),
    merged: below('merged'),
    log: below('log'),
    outputLog: below('output.log'),
  };
}
