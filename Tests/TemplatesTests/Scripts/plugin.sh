#!/usr/bin/env bash
# plugin.sh ROOT FOLDER: makes two plugins in a copy of the checkout ROOT, builds it, runs their tests and trains their recipes.
#
# A build goes by absolute paths: in a copy at another place everything is built again, which takes minutes. So the copy,
# with what was built, is mounted over ROOT, for this script alone. Where that is not allowed it is built from nothing.
set -euo pipefail
root=$1
folder=$2
copy=$folder/copy

in_place() {
  cd "$1"
  export TMPDIR=$folder/temporary PKG_CONFIG_PATH=$1/.libtorch OMP_WAIT_POLICY=passive
  host=.build/debug/host
  [ -x "$host" ] || swift build --product host
  "$host" new plugin Sparse
  "$host" new plugin Solo --slots loss
  swift format lint --strict --recursive Package.swift Plugins/Sparse Plugins/Solo
  swift build --build-tests --explicit-target-dependency-import-check error
  swift test --skip-build --disable-xctest --filter '^(SparseTests|SoloTests)\.'
  "$host" doctor
  for name in sparse solo; do
    "$host" compose "Plugins/${name^}/recipes/$name.yaml" --set data.limit=500 --set epochs=1 --per-class 2 --threads 1 \
      --runs "$folder/runs" --name "$name"
  done
  "$host" compose --data sparse --encoder sparse --decoder sparse --prior sparse --loss mse --sampler sparse --metric sparse \
    --epochs 1 --threads 1 --runs "$folder/runs" --name rings
}

if [ "${3:-}" = mounted ]; then
  mkdir "$copy/.libtorch"
  mount --bind "$root/.libtorch" "$copy/.libtorch"
  mount --rbind "$copy" "$root"
  in_place "$root"
  exit
fi

mkdir -p "$copy" "$folder/temporary"
for entry in "$root"/* "$root"/.[!.]*; do
  case ${entry##*/} in
    .build | .git | .libtorch | .venv | runs) ;;
    *) cp -a "$entry" "$copy" ;;
  esac
done
rights=-m
[ "$(id -u)" = 0 ] || rights=-rm
if unshare "$rights" mount --bind "$copy" "$copy" 2>/dev/null; then
  # What debug builds read; the builds for speed are left behind.
  (cd "$root" && find .build -maxdepth 1 -mindepth 1 ! -name '*-*-*' ! -name release ! -name repositories -print0 \
    && find .build/*-*-*/debug -maxdepth 1 -mindepth 1 -print0) >"$folder/built"
  (cd "$root" && xargs -0 cp -a --parents -t "$copy" <"$folder/built")
  exec unshare "$rights" bash "${BASH_SOURCE[0]}" "$root" "$folder" mounted
fi
echo "mounting is not allowed here: building from nothing"
ln -s "$root/.libtorch" "$copy/.libtorch"
in_place "$copy"
