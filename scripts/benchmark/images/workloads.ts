// Work on images, and who else does it. Scripts see $IN (inputs, only read), $OUT (fresh and empty), and `veneer`.

import type { ImageWorkload } from '../compare.js';

const PODMAN = 'podman --storage-driver vfs --root "$OUT/podman" --runroot "$OUT/run" --cgroup-manager cgroupfs';
const podman = ['podman'];

/** Unpacking with the layer's digest beside it, and on disk at the end, which is what an import promises. */
const unpack = (reader: string): string =>
  `mkdir "$OUT/t"; ${reader} | tee >(sha256sum >"$OUT/sum") | tar -x -C "$OUT/t"; wait; sync -f "$OUT/t"`;

/** The store that saves and commits begin with. */
const LOADED = 'veneer import -q "$IN/root.tar" root >/dev/null';
/** A tree to pack, in the page cache as the store's own is. */
const TREE = 'mkdir "$OUT/t"; tar -x -C "$OUT/t" -f "$IN/root.tar"; sync -f "$OUT"';
const packed = (filter: string): string => `tar -C "$OUT/t" -c . | ${filter}; sync "$OUT/x"`;

const CHANGE = `id=$(veneer create root); dir=$(veneer mount "$id")
mkdir "$dir/changed"; for n in 1 2 3; do echo "$n" >"$dir/changed/$n"; done`;

export const IMAGE_WORKLOADS: readonly ImageWorkload[] = [
  {
    name: 'import',
    title: 'a tar of a root file system becomes an image',
    contestants: [
      { name: 'veneer', run: 'veneer import -q "$IN/root.tar" x' },
      { name: 'tar+sha256sum', run: unpack('cat "$IN/root.tar"') },
      { name: 'podman', packages: podman, run: `${PODMAN} import -q "$IN/root.tar" x` },
    ],
    targets: [{ against: 'tar+sha256sum', limit: 1.2 }],
  },
  {
    name: 'import-gzip',
    title: 'the same, compressed by gzip',
    contestants: [
      { name: 'veneer', run: 'veneer import -q "$IN/root.tar.gz" x' },
      { name: 'gzip+tar+sha256sum', run: unpack('gzip -dc "$IN/root.tar.gz"') },
    ],
    targets: [{ against: 'gzip+tar+sha256sum', limit: 1.2 }],
  },
  {
    name: 'import-zstd',
    title: 'the same, compressed by zstd',
    contestants: [
      { name: 'veneer', run: 'veneer import -q "$IN/root.tar.zst" x' },
      { name: 'zstd+tar+sha256sum', packages: ['zstd'], run: unpack('zstd -qdc "$IN/root.tar.zst"') },
    ],
    targets: [{ against: 'zstd+tar+sha256sum', limit: 1.2 }],
  },
  {
    name: 'load',
    title: 'an archive of docker save becomes an image',
    contestants: [
      { name: 'veneer', run: 'veneer load -q -i "$IN/docker.tar"' },
      { name: 'podman', packages: podman, run: `${PODMAN} load -q -i "$IN/docker.tar"` },
      {
        name: 'skopeo+umoci',
        packages: ['skopeo', 'umoci'],
        run: `skopeo copy -q "docker-archive:$IN/docker.tar" "oci:$OUT/oci:x"; umoci unpack --image "$OUT/oci:x" "$OUT/b" >/dev/null`,
      },
    ],
  },
  {
    name: 'save',
    title: 'an image becomes an archive',
    contestants: [
      { name: 'veneer', before: LOADED, run: 'veneer save -o "$OUT/x" root' },
      { name: 'tar+sha256sum', before: TREE, run: packed('tee "$OUT/x" | sha256sum') },
      {
        name: 'podman',
        packages: podman,
        before: `${PODMAN} import -q "$IN/root.tar" x`,
        run: `${PODMAN} save -q -o "$OUT/x" x`,
      },
    ],
    targets: [{ against: 'tar+sha256sum', limit: 1.2 }],
  },
  {
    name: 'save-gzip',
    title: 'the same as an OCI archive, compressed by gzip',
    contestants: [
      { name: 'veneer', before: LOADED, run: 'veneer save --format oci --compression gzip -o "$OUT/x" root' },
      { name: 'tar+gzip', before: TREE, run: packed('gzip -6 >"$OUT/x"') },
    ],
    targets: [{ against: 'tar+gzip', limit: 1.2 }],
  },
  {
    name: 'save-zstd',
    title: 'the same, compressed by zstd',
    contestants: [
      { name: 'veneer', before: LOADED, run: 'veneer save --format oci --compression zstd -o "$OUT/x" root' },
      { name: 'tar+zstd', packages: ['zstd'], before: TREE, run: packed('zstd -q -3 >"$OUT/x"') },
    ],
    targets: [{ against: 'tar+zstd', limit: 1.2 }],
  },
  {
    name: 'commit',
    title: 'three changed files in a container that is not mounted',
    contestants: [
      { name: 'veneer', before: `${LOADED}\n${CHANGE}\nveneer umount "$id"`, run: 'veneer commit -q "$id" y' },
      { name: 'start-up', run: 'veneer version' },
      {
        name: 'buildah',
        packages: ['buildah'],
        before: `export STORAGE_DRIVER=overlay
BUILDAH="buildah --root $OUT/b --runroot $OUT/r"
skopeo copy -q "docker-archive:$IN/docker.tar" "containers-storage:[overlay@$OUT/b+$OUT/r]localhost/root:1"
id=$($BUILDAH from --pull-never localhost/root:1); dir=$($BUILDAH mount "$id")
mkdir "$dir/changed"; for n in 1 2 3; do echo "$n" >"$dir/changed/$n"; done; $BUILDAH umount "$id"`,
        run: '$BUILDAH commit -q "$id" y',
      },
    ],
  },
  {
    name: 'commit-mounted',
    title: 'the same while it is mounted',
    contestants: [
      { name: 'veneer', before: `${LOADED}\n${CHANGE}`, run: 'veneer commit -q "$id" y' },
      { name: 'start-up', run: 'veneer version' },
    ],
  },
];
