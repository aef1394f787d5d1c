// Images between a registry on this machine and disk, and who else moves them. Scripts see $IN/oci (the image as a layout, tag 1),
// $REGISTRY (which has it as bench/debian:1), $OUT (fresh and empty), and `veneer`.

import type { ImageWorkload } from '../compare.js';

const IMAGE = '"$REGISTRY/bench/debian:1"';
const podman = ['podman'];
/** The driver that it takes by itself; vfs would copy each layer. */
const PODMAN = 'podman --storage-driver overlay --root "$OUT/podman" --runroot "$OUT/run" --cgroup-manager cgroupfs';

/** A repository that the registry does not know yet; and for who remembers in /var/lib where blobs are, nothing to remember. */
const NEW = `TARGET=$REGISTRY/new/$(basename "$(mktemp -u "$OUT/XXXXXX")" | tr A-Z a-z)/debian:1
mkdir -p /var/lib/containers/cache
forgetful() { unshare -m bash -ec 'mount -t tmpfs none /var/lib/containers/cache; exec "$@"' - "$@"; }`;
/** Called oci:1 then, as its directory. */
const LOADED = 'veneer load -q -i "$IN/oci" >/dev/null';
const PUSH = 'veneer push -q --tls-verify=false';

export const REGISTRY_WORKLOADS: readonly ImageWorkload[] = [
  {
    name: 'pull',
    title: 'an image of 8 gzip layers comes to disk, verified and unpacked',
    contestants: [
      { name: 'veneer', run: `veneer pull -q --tls-verify=false ${IMAGE}` },
      {
        name: 'skopeo+umoci',
        packages: ['skopeo', 'umoci'],
        run: `skopeo copy -q --src-tls-verify=false docker://${IMAGE} "oci:$OUT/oci:x"; umoci unpack --image "$OUT/oci:x" "$OUT/b"`,
      },
      { name: 'podman', packages: podman, run: `${PODMAN} pull -q --tls-verify=false ${IMAGE}` },
    ],
    targets: [
      { against: 'skopeo+umoci', limit: 0.8 },
      { against: 'podman', limit: 1 },
    ],
    memory: 150,
  },
  {
    name: 'pull-again',
    title: 'the same when it is there already',
    contestants: [
      {
        name: 'veneer',
        before: `veneer pull -q --tls-verify=false ${IMAGE} >/dev/null`,
        run: `veneer pull -q --tls-verify=false ${IMAGE}`,
      },
      { name: 'start-up', run: 'veneer version' },
      {
        name: 'podman',
        packages: podman,
        before: `${PODMAN} pull -q --tls-verify=false ${IMAGE} >/dev/null`,
        run: `${PODMAN} pull -q --tls-verify=false ${IMAGE}`,
      },
    ],
  },
  {
    name: 'push',
    title: 'layers go to a registry as they were packed',
    contestants: [
      { name: 'veneer', before: `${NEW}\n${LOADED}`, run: `${PUSH} oci:1 "$TARGET"` },
      {
        name: 'skopeo',
        packages: ['skopeo'],
        before: NEW,
        run: 'forgetful skopeo copy -q --dest-tls-verify=false "oci:$IN/oci:1" "docker://$TARGET"',
      },
    ],
    memory: 150,
  },
  {
    name: 'push-gzip',
    title: 'one large layer is compressed by gzip on its way',
    contestants: [
      {
        name: 'veneer',
        before: `${NEW}\nveneer import -q "$IN/root.tar" localhost/debian:1 >/dev/null`,
        run: `${PUSH} localhost/debian:1 "$TARGET"`,
      },
      {
        name: 'podman',
        packages: podman,
        before: `${NEW}\n${PODMAN} import -q "$IN/root.tar" localhost/debian:1 >/dev/null`,
        run: `forgetful ${PODMAN} push -q --tls-verify=false localhost/debian:1 "$TARGET"`,
      },
    ],
    memory: 150,
  },
];
