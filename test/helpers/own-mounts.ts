// Mount namespaces of tests, which live for seconds.

/**
 * The beginning of a shell script in a mount namespace of its own: gives up what it has by copy of the mounts of other test files, whose
 * un-mounts would not come to an end before it does: file systems of ours, the kernel's overlays, and loop devices.
 */
export const FORGET_MOUNTS = `others=$(sed -nE 's/^([^ ]+ ){4}(\\/[^ ]+) .* - (fuse\\.veneer|overlay|[^ ]+ \\/dev\\/loop).*/\\2/p' /proc/self/mountinfo)
[ -z "$others" ] || umount -l $others 2>&- || :
`;
