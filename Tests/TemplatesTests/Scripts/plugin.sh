#!/usr/bin/env bash
# plugin.sh ROOT FOLDER [reusing]: makes two plugins in a checkout, builds it, runs their tests and trains their recipes.
#
# The checkout is a copy of ROOT, in which everything is built anew; with `reusing`, ROOT itself under an overlay, so that only
# what is new is built, beside the tests of the new plugins alone.
set -euo pipefail
root=$1
folder=$2

if [ "${3:-}" = reusing ]; then
  export LATENTKIT_TESTS=SparseTests,SoloTests
  exec timeout 900 bash "${BASH_SOURCE[0]%/*}/overlay.sh" "$root" "$folder" bash "${BASH_SOURCE[0]}" "$root" "$folder" mounted
elif [ "${3:-}" != mounted ]; then
  copy=$folder/copy
  mkdir -p "$copy" "$folder/temporary"
  for entry in "$root"/* "$root"/.[!.]*; do
    case ${entry##*/} in
      .build | .git | .libtorch | .venv | runs) ;;
      *) cp -a "$entry" "$copy" ;;
    esac
  done
  ln -s "$root/.libtorch" "$copy/.libtorch"
  root=$copy
fi

cd "$root"
export TMPDIR=$folder/temporary PKG_CONFIG_PATH=$root/.libtorch OMP_WAIT_POLICY=passive
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
