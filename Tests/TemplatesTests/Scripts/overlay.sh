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
  mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/changes,workdir=$1/work" "$0"
  cd "$1"
  exec "${@:2}"' "$root" "$folder" "$@"
