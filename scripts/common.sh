# shellcheck shell=bash
# What the scripts share: saying what they do, and installing what is missing. Sourced by bash.

NODE_MIN='20.19.0'

bold='' dim='' red='' green='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

headline() { printf '\n%s== %s%s\n' "$bold$green" "$*" "$plain"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
fail() {
  printf '%s%s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# Where commands are shown, whatever becomes of their own output.
exec 3>&1

# Prints a command as one would type it, then runs it.
show() {
  local word line=''
  for word; do
    [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
    line+=" $word"
  done
  printf '%s$%s%s\n' "$bold" "$line" "$plain" >&3
  "$@" 3>&-
}

# Runs a command as root, and says why when it has to ask for that.
as_root() {
  local why=$1
  shift
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    note "root is needed to $why: sudo $*"
    sudo -- "$@"
  else
    fail "root is needed to $why, and there is no sudo: run this script as root"
  fi
}

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Installs those of the given Debian packages that are missing.
need_packages() {
  local package missing=()
  for package; do is_installed "$package" || missing+=("$package"); done
  ((${#missing[@]} == 0)) && return
  command -v apt-get >/dev/null || fail "these Debian packages are needed, and there is no apt-get: ${missing[*]}"
  headline "Installing Debian packages: ${missing[*]}"
  apt_install "${missing[@]}" || {
    # No package lists yet, or old ones.
    as_root 'refresh the package lists' apt-get -qq update
    apt_install "${missing[@]}"
  }
}

# What runs containers: runtime, monitor, networks, firewall, id maps, init, and the default seccomp profile.
need_container_packages() {
  need_packages aardvark-dns catatonit conmon crun golang-github-containers-common iproute2 iptables netavark nftables passt slirp4netns uidmap
}

apt_install() {
  apt-get install --simulate "$@" >/dev/null 2>&1 || return
  as_root "install $*" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

need_node() {
  local hint="Debian 13's own nodejs package will do; on Debian 12 it is too old: take one from https://nodejs.org/en/download
or https://github.com/nodesource/distributions (both have Node 20, 22 and 24), then run this script again."
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    local offered
    offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: *//p')
    if [[ -n $offered && $offered != '(none)' ]] && dpkg --compare-versions "$offered" ge "$NODE_MIN"; then
      need_packages nodejs npm
    else
      fail "Node.js >= $NODE_MIN is needed, with npm. $hint"
    fi
  fi
  local version
  version=$(node -p process.versions.node)
  [[ $(printf '%s\n' "$NODE_MIN" "$version" | sort -V | head -n 1) == "$NODE_MIN" ]] ||
    fail "Node.js >= $NODE_MIN is needed; $(command -v node) is $version. $hint"
}

# better-sqlite3 comes prebuilt where its download can be reached, and is compiled where not.
# The optional fuse-native, too, is taken as it comes: its own test would fail for want of a libfuse in the system, and compile.
npm_ci() {
  local -x FUSE_NATIVE=1
  local prefix
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  npm ci --no-audit --no-fund && return
  note 'npm ci failed: once more, with a compiler for the native packages'
  need_packages g++ make python3
  # Node's own headers, if they are there, save node-gyp a download.
  if [[ -f $prefix/include/node/node_version.h ]]; then
    npm_config_nodedir=$prefix npm ci --no-audit --no-fund
  else
    npm ci --no-audit --no-fund
  fi
}

# Installs the npm packages if they are absent or older than the lock file, and builds.
build() {
  need_node
  if [[ ! -f node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
    headline 'Installing npm packages'
    npm_ci
    touch node_modules/.package-lock.json
  fi
  headline 'Building'
  show npm run --silent build
}

# Sets DEBIAN_TAR to a tar of Debian bookworm's minbase, made with debootstrap when the cache has none. Takes a directory for
# what is temporary. Fails if debootstrap does.
# shellcheck disable=SC2034
need_debian_tar() {
  local temp=$1
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/veneer
  DEBIAN_TAR=$cache/debian-bookworm-minbase.tar
  [[ ! -f $DEBIAN_TAR ]] || return 0
  need_packages tar debootstrap
  note 'debootstrap takes a minute or two'
  show debootstrap --variant=minbase bookworm "$temp/rootfs" http://deb.debian.org/debian >"$temp/debootstrap.log" ||
    { tail -n 20 "$temp/debootstrap.log" >&2 && return 1; }
  mkdir -p "$cache"
  tar -C "$temp/rootfs" --numeric-owner --xattrs -cf "$DEBIAN_TAR.$$" .
  mv "$DEBIAN_TAR.$$" "$DEBIAN_TAR"
  rm -rf --one-file-system "$temp/rootfs"
}
