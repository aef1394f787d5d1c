# shellcheck shell=bash
# What bench-images, bench-registry and bench-containers share. Sourced by bash, with BENCH (the name), PROGRAM and `usage` set.

# Takes the options, builds, installs what is needed, and sets `scratch`, with in/root.tar, `bench` and `pass`. Does not return
# where only a list is asked for. `child`, if set, is ended in the end.
begin_bench() {
  local dir=/var/tmp build=yes tar='' list=''
  pass=() child=''
  while (($# > 0)); do
    case $1 in
      -h | --help) usage && exit ;;
      --no-build) build='' && shift ;;
      --list) list=yes && pass+=("$1") && shift ;;
      --dir | --tar)
        [[ -e ${2:-} ]] || { printf "%s: %s: '%s' does not exist\n" "$BENCH" "$1" "${2:-}" >&2 && exit 2; }
        printf -v "${1#--}" %s "$(realpath -- "$2")" && shift 2
        ;;
      *) pass+=("$1") && shift ;;
    esac
  done

  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  # shellcheck source=scripts/common.sh
  source scripts/common.sh
  if [[ -n $build && -z $list || ! -e node_modules/.bin/tsc ]]; then build >&2; fi
  node_modules/.bin/tsc -p scripts/benchmark/tsconfig.json
  bench=(node "$PROGRAM")
  if [[ -n $list ]]; then exec "${bench[@]}" "${pass[@]}"; fi
  ((EUID == 0)) || fail "$BENCH: unpacking files of all owners needs root"

  local needs
  # The program refuses unknown names before anything is installed.
  needs=$("${bench[@]}" --needs "${pass[@]}") || exit
  mapfile -t needs <<<"$needs"
  need_packages tar "${needs[@]}"

  scratch=$(mktemp -d "$dir/veneer-bench.XXXXXX")
  trap end_bench EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  mkdir "$scratch/in"
  if [[ -z $tar ]]; then
    need_debian_tar "$scratch" || fail "$BENCH: debootstrap failed: name a tar with --tar"
    tar=$DEBIAN_TAR
  fi
  cp -- "$tar" "$scratch/in/root.tar"
}

end_bench() {
  local status=$? mount
  cd /
  [[ -z $child ]] || { kill "$child" && wait "$child"; } 2>/dev/null || true
  while read -r mount; do umount -f -l "$mount"; done < <(awk -v dir="$scratch/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts | tac)
  rm -rf --one-file-system "$scratch"
  exit "$status"
}
