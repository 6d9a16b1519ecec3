#!/usr/bin/env bash
# overlay.sh ROOT FOLDER COMMAND...: runs a command for which ROOT is as it is, and whose changes of ROOT go to FOLDER.
#
# The mount is seen by the command and its children alone. It needs Linux, and the right to mount in a namespace of one's own.
set -euo pipefail
root=$1
folder=$2
shift 2
mkdir -p "$folder/changes" "$folder/work" "$folder/temporary"
rights=-m
[ "$(id -u)" = 0 ] || rights=-rm
# shellcheck disable=SC2016
exec unshare "$rights" bash -c '
  set -e
  # What is mounted in ROOT itself, as a libtorch that is shared, an overlay does not see.
  for name in .libtorch .venv; do
    if mountpoint -q "$0/$name"; then
      mkdir -p "$1/$name"
      mount --rbind "$0/$name" "$1/$name"
    fi
  done
  # A user in a namespace may not write the attributes by which overlays rename folders, only those for users.
  options=
  [ "$(tr -s " " </proc/self/uid_map)" = " 0 0 4294967295" ] || options=,userxattr
  mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/changes,workdir=$1/work$options" "$0"
  for name in .libtorch .venv; do
    if [ -d "$1/$name" ]; then mount --rbind "$1/$name" "$0/$name"; fi
  done
  cd "$1"
  exec "${@:2}"' "$root" "$folder" "$@"
