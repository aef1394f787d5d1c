// The metadata schema, as numbered migrations: the index of the last one done is the database's `user_version`.
// Rows only point; content is in files. Times are milliseconds since the epoch.

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE layers (
    chain_id TEXT PRIMARY KEY,
    diff_id TEXT NOT NULL,
    parent TEXT REFERENCES layers(chain_id),
    size INTEGER NOT NULL,
    created INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX layers_by_parent ON layers(parent);

  -- id: the digest of the configuration, which is a blob.
  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    created INTEGER,
    added INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- position 0 is the bottom layer.
  CREATE TABLE image_layers (
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    chain_id TEXT NOT NULL REFERENCES layers(chain_id),
    PRIMARY KEY (image, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_layers_by_layer ON image_layers(chain_id);

  -- repository: with its registry, 'docker.io/library/debian'.
  CREATE TABLE tags (
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    image TEXT NOT NULL REFERENCES images(id),
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_image ON tags(image);

  -- moving: JSON, set while the upper directory is on its way to become a layer.
  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    image TEXT NOT NULL REFERENCES images(id),
    image_reference TEXT NOT NULL,
    created INTEGER NOT NULL,
    mountpoint TEXT,
    labels TEXT NOT NULL,
    moving TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX containers_by_image ON containers(image);

  -- What commits put on top of the container's image; position 0 lies on the image. history: JSON, the entry of the layer.
  CREATE TABLE container_layers (
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    chain_id TEXT NOT NULL REFERENCES layers(chain_id),
    history TEXT NOT NULL,
    PRIMARY KEY (container, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX container_layers_by_layer ON container_layers(chain_id);

  -- Images mounted read-only. lease: that of the process that mounts, which ends when the mount is there.
  CREATE TABLE mounts (
    mountpoint TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images(id),
    lease TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mounts_by_image ON mounts(image);

  -- What a running operation needs before anything refers to it. lease: the name of a staging entry, which the process holds.
  CREATE TABLE leases (
    lease TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (lease, kind, object)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leases_by_object ON leases(kind, object);
  `,
  `
  -- Bytes of the uncompressed tar; null where it is not known.
  ALTER TABLE layers ADD COLUMN tar_size INTEGER;

  -- Manifests that are kept byte for byte. digest: that of the manifest, which is a blob.
  CREATE TABLE manifests (
    digest TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    added INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifests_by_image ON manifests(image);

  -- The layers of a manifest as blobs; position 0 is the bottom one.
  CREATE TABLE manifest_blobs (
    manifest TEXT NOT NULL REFERENCES manifests(digest) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (manifest, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifest_blobs_by_blob ON manifest_blobs(blob);

  -- Names by digest, REPOSITORY@DIGEST: of a manifest, or of an index that lists it.
  CREATE TABLE digests (
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX digests_by_image ON digests(image);
  `,
  `
  -- What registries are known to have: hints that save work, right or wrong. repository: with its registry. seen: when it had the blob.
  CREATE TABLE known_blobs (
    blob TEXT NOT NULL,
    repository TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (blob, repository)
  ) STRICT, WITHOUT ROWID;

  -- What a layer's tar was compressed to. compression: the method, with a level where one was asked for.
  CREATE TABLE packed_layers (
    diff_id TEXT NOT NULL,
    compression TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (diff_id, compression)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The last run of a container that was ever started. run: JSON, see container-runs.ts.
  CREATE TABLE container_runs (
    container TEXT PRIMARY KEY REFERENCES containers(id) ON DELETE CASCADE,
    run TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Directories that were the upper ones of containers, and are not written to any more. parent: the one it lies on; without one it lies on
  -- the layers of its container. The directory is frozen/<id>/diff.
  CREATE TABLE frozen (
    id TEXT PRIMARY KEY,
    parent TEXT REFERENCES frozen(id),
    created INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX frozen_by_parent ON frozen(parent);

  -- frozen: what the upper directory lies on. freezing: JSON, set while the upper directory is on its way to be a frozen one.
  ALTER TABLE containers ADD COLUMN frozen TEXT REFERENCES frozen(id);
  ALTER TABLE containers ADD COLUMN freezing TEXT;
  CREATE INDEX containers_by_frozen ON containers(frozen);

  CREATE TABLE snapshots (
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    frozen TEXT NOT NULL REFERENCES frozen(id),
    created INTEGER NOT NULL,
    PRIMARY KEY (container, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX snapshots_by_frozen ON snapshots(frozen);
  `,
  `
  -- anonymous: 1 for those that were made for a container and have no name of the user's.
  CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    labels TEXT NOT NULL,
    anonymous INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE container_volumes (
    container TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
    volume TEXT NOT NULL REFERENCES volumes(name),
    PRIMARY KEY (container, volume)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX container_volumes_by_volume ON container_volumes(volume);
  `,
];
