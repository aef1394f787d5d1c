// What `run` begins before it has read what it is to run. This is also a door of the room, behind which little is to be loaded.

import { existsSync, realpathSync } from 'node:fs';
import { WaitingServer } from '../overlay/start.js';
import { StorePaths } from '../store/paths.js';
import { containerDirectories } from './container-directories.js';
import { newContainerId } from './container-id.js';

/** The ID of a container that is going to be made, and a server that waits to mount it. */
export class HeadStart implements AsyncDisposable {
  readonly id: string = newContainerId();
  readonly server: WaitingServer;

  /** `root`: of the store. */
  constructor(root: string) {
    const paths = new StorePaths(existsSync(root) ? realpathSync(root) : root);
    this.server = new WaitingServer(containerDirectories(paths.container(this.id)).merged);
  }

  /** Ends the server, if it has not been needed. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
