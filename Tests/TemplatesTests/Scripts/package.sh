#!/usr/bin/env bash
# package.sh ROOT FOLDER [reusing]: makes a package beside a checkout, builds it, runs its tests and its program.
#
# The package depends on a tagged clone of ROOT by version, and all of LatentKit is built anew; with `reusing` it depends on
# ROOT by path, under an overlay in whose build folder it builds, so that only what is new is built.
set -euo pipefail
root=$1
folder=$2
version=0.1.0

if [ "${3:-}" = reusing ]; then
  exec timeout 900 bash "${BASH_SOURCE[0]%/*}/overlay.sh" "$root" "$folder" bash "${BASH_SOURCE[0]}" "$root" "$folder" mounted
elif [ "${3:-}" = mounted ]; then
  clone=$root
  # SwiftPM's lock on ROOT's build folder lies among temporary files, and the program that runs this test may hold it.
  export TMPDIR=$folder/temporary
else
  clone=$folder/LatentKit
  mkdir -p "$clone"
  cd "$root"
  for entry in * .[!.]*; do
    case $entry in
      .build | .git | .libtorch | .venv | runs) ;;
      *) cp -a "$entry" "$clone" ;;
    esac
  done
  cd "$clone"
  git init -q
  git add -A
  git -c user.name=test -c user.email=test@localhost commit -qm "A version"
  git tag "$version"
fi

cd "$folder"
"$root/.build/debug/host" new package Rings --folder "$folder" --url "file://$clone" --from "$version"
cd Rings
swift format lint --strict --recursive Package.swift Sources Plugins
export LIBTORCH=$root/.libtorch
if [ "$clone" = "$root" ]; then
  # A build goes by absolute paths: with those of ROOT, what is there need not be built again.
  sed -i "s|\.package(url: \"file://$root\", from: \"$version\")|.package(path: \"$root\")|" Package.swift
  mkdir .libtorch
  echo "include $root/.libtorch/libtorch.mk" >.libtorch/libtorch.mk
  export SWIFTPM_BUILD_DIR=$root/.build
  ln -s "$root/.build" .build
fi
make config=debug
make test
# The program runs in an empty environment, and knows all parts.
run() { env -i HOME="$HOME" .build/debug/rings-host "$@"; }
run list
run compose Plugins/Rings/recipes/rings.yaml --set data.limit=500 --set epochs=1 --per-class 2 --threads 1 --name rings
run compose --encoder rings --prior pedcc --sampler mh --set data.limit=500 --epochs 1 --per-class 2 --threads 1 --name mixed
# A second plugin, from the package's own program.
run new plugin Other --slots loss
make test ONLY=OtherTests
