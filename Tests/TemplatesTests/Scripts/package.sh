#!/usr/bin/env bash
# package.sh ROOT FOLDER: makes a package beside a tagged clone of the checkout ROOT, builds it, runs its tests and its program.
# It builds all of LatentKit anew, which takes minutes.
set -euo pipefail
root=$1
folder=$2
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
git tag 0.1.0

cd "$folder"
"$root/.build/debug/host" new package Rings --folder "$folder" --url "file://$clone"
cd Rings
swift format lint --strict --recursive Package.swift Sources Plugins
LIBTORCH=$root/.libtorch make config=debug
LIBTORCH=$root/.libtorch make test
# The program runs in an empty environment, and knows all parts.
run() { env -i HOME="$HOME" .build/debug/rings-host "$@"; }
run list
run compose Plugins/Rings/recipes/rings.yaml --set data.limit=500 --set epochs=1 --per-class 2 --threads 1 --name rings
run compose --encoder rings --prior pedcc --sampler mh --set data.limit=500 --epochs 1 --per-class 2 --threads 1 --name mixed
# A second plugin, from the package's own program.
run new plugin Other --slots loss
make test ONLY=OtherTests
