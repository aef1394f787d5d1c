// Where everything in a store is. All of it is private to the owner of the store; users of a mount
// reach the layers through the mount's server only.

import { join } from 'node:path';
import type { ChainId } from '../image/index.js';
import type { Digest } from '../core/index.js';
import { digestHex } from '../core/index.js';

/** What the tar of a layer is made from, besides the content of its files. */
export interface LayerRecord {
  /** The tar without that content: a file. */
  readonly skeleton: string;
  /** The directory of content that later entries of the archive replaced; absent where there is none. */
  readonly replaced: string;
}

/** The record in the directory of a layer, or of one being made. */
export function recordIn(directory: string): LayerRecord {
  return { skeleton: join(directory, 'skeleton'), replaced: join(directory, 'replaced') };
}

export class StorePaths {
  /** Absolute, without symlinks. */
  readonly root: string;
  readonly database: string;
  readonly blobs: string;
  readonly layers: string;
  readonly containers: string;
  /** Directories that were the upper ones of containers. */
  readonly frozen: string;
  readonly staging: string;
  readonly volumes: string;
  /** Space set aside for a full file system. */
  readonly reserve: string;
  /** An empty directory: the lower layer of what has no layers. */
  readonly empty: string;
  /** What every container that runs has at least: the places on which a runtime mounts. */
  readonly mountPoints: string;

  constructor(root: string) {
    this.root = root;
    this.database = join(root, 'veneer.db');
    this.blobs = join(root, 'blobs', 'sha256');
    this.layers = join(root, 'layers');
    this.containers = join(root, 'containers');
    this.frozen = join(root, 'frozen');
    this.staging = join(root, 'staging');
    this.volumes = join(root, 'volumes');
    this.reserve = join(root, 'reserve');
    this.empty = join(root, 'empty');
    this.mountPoints = join(root, 'mountpoints');
  }

  blob(digest: Digest): string {
    return join(this.blobs, digestHex(digest));
  }

  /** The directory of a layer; its content is in `diff` below. */
  layer(chainId: ChainId): string {
    return join(this.layers, digestHex(chainId));
  }

  diff(chainId: ChainId): string {
    return join(this.layer(chainId), 'diff');
  }

  record(chainId: ChainId): LayerRecord {
    return recordIn(this.layer(chainId));
  }

  frozenDirectory(id: string): string {
    return join(this.frozen, id);
  }

  /** The directory of a volume; its content is in `_data` below. */
  volume(name: string): string {
    return join(this.volumes, name);
  }

  container(id: string): string {
    return join(this.containers, id);
  }
}
