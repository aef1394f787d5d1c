// The state of one mount, shared by the operations, each family of which has a file of its own.

import type { Kernel } from '../fuse/index.js';
import type { RealDir, Stack } from '../stack/index.js';
import { Stat, entryPath } from '../sys/index.js';
import { readProtection } from '../whiteout/index.js';
import type { XattrNamespace } from '../whiteout/index.js';
import { Copier } from './copy-content.js';
import { InoMap } from './ino.js';
import { NodeTable } from './node-table.js';
import { HandleTable } from './handles.js';
import { Readers } from './readers.js';
import { Origins } from './origin.js';
import type { StatOverrides } from './stat-override.js';
import type { WorkDir } from './work-dir.js';

export interface OverlaySetup {
  /** All layers, top first; with a work directory the first one is the upper. */
  readonly stack: Stack;
  /** Present where the mount is writable. */
  readonly work: WorkDir | undefined;
  readonly namespace: XattrNamespace;
  readonly volatile: boolean;
  /** Whether what was written is on disk when the mount has ended. */
  readonly syncsAtEnd: boolean;
  /** With `xattr_permissions`. */
  readonly overrides?: StatOverrides | undefined;
  /** Whether directories with lower contents may be renamed. */
  readonly redirects: boolean;
  /** Whether ACLs count. */
  readonly acl: boolean;
  /** Whether small files that are only read go through the kernel's own pages, and not past us. */
  readonly smallThroughCache: boolean;
  /** Whether a change of attributes leaves a file's content below. */
  readonly metacopy: boolean;
}

export class Overlay {
  readonly stack: Stack;
  readonly work: WorkDir | undefined;
  readonly nodes: NodeTable;
  readonly handles = new HandleTable();
  readonly copier = new Copier();
  /** On a read-only mount. */
  readonly readers = new Readers();
  readonly inos: InoMap;
  readonly origins: Origins;
  readonly namespace: XattrNamespace;
  /** Never wait for the disk. */
  readonly volatile: boolean;
  readonly syncsAtEnd: boolean;
  /** Where owners and modes are kept in attributes: with `xattr_permissions`. */
  readonly overrides: StatOverrides | undefined;
  readonly redirects: boolean;
  readonly acl: boolean;
  readonly smallThroughCache: boolean;
  readonly metacopy: boolean;
  /** How often a name was asked for that had a node, and how often the layers were searched for one. */
  readonly names = { known: 0, found: 0 };
  /** What the kernel agreed to; set by INIT. */
  kernel: Kernel | undefined;
  /** For the request being handled; whatever calls another function must expect it to be overwritten. */
  readonly stat = new Stat();

  constructor(setup: OverlaySetup) {
    this.stack = setup.stack;
    this.work = setup.work;
    this.namespace = setup.namespace;
    this.volatile = setup.volatile;
    this.syncsAtEnd = setup.syncsAtEnd;
    this.overrides = setup.overrides;
    this.redirects = setup.redirects;
    this.acl = setup.acl;
    this.smallThroughCache = setup.smallThroughCache;
    this.metacopy = setup.metacopy;
    const { layers, root } = setup.stack;
    const upper = setup.work === undefined ? undefined : root[0];
    this.nodes = new NodeTable(root, upper);
    if (upper !== undefined) this.nodes.root.protection = readProtection(entryPath(upper.fd(), '.'), this.namespace);
    // From the bottom up: putting a layer on top changes no number.
    this.inos = new InoMap(layers.map((layer) => layer.dev).reverse());
    this.origins = new Origins(setup.work === undefined ? layers : layers.slice(1), this.namespace);
  }

  /** Whether a directory lies in the writable layer. */
  isUpper(dir: RealDir): boolean {
    return this.work !== undefined && dir.layer.index === 0;
  }
}
