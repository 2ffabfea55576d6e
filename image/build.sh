#!/bin/sh
# Builds the image: build.sh TAG [arguments for the engine]. PENNY_ENGINE chooses among docker, podman and buildah.
set -eu
cd "$(dirname "$0")/.."
tag=$1
shift
for engine in ${PENNY_ENGINE:-docker podman buildah}; do
  "$engine" info >/dev/null 2>&1 || continue  # installed, and its daemon answers
  echo "image: building $tag with $engine" >&2
  case $engine in
    docker) exec docker build --tag "$tag" "$@" . ;;
    # A health check is part of the docker format, not of OCI's.
    *) exec "$engine" build --format docker --tag "$tag" "$@" . ;;
  esac
done
echo "image: none of docker, podman and buildah works here; on Debian: apt-get install buildah" >&2
exit 1
