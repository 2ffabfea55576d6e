# The container image. TAG names it; IMAGE_ARGS go to the engine's build, such as --platform or --build-arg.
TAG ?= penny:latest

image:  ## the container image, with docker, podman or buildah, whichever is here (TAG=, IMAGE_ARGS=)
	@sh image/build.sh $(TAG) $(IMAGE_ARGS)

image-test: $(VENV)/dev.ok  ## serves from the image: read-only, uid 10001, a conversation, a drain (root; a minute)
	@$(BIN)/python image/trial.py $(TAG)

sbom: $(VENV)-sbom/sbom.ok  ## what is in the image, as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@$(VENV)-sbom/bin/cyclonedx-py requirements locks/image.txt --pyproject pyproject.toml --of JSON -o build/sbom/service.cdx.json
	@cd widget && sh node.sh npm sbom --package-lock-only --sbom-format cyclonedx > ../build/sbom/widget.cdx.json
	@ls build/sbom/*.json

$(VENV)-sbom/sbom.ok: locks/sbom.txt
	@test -x $(VENV)-sbom/bin/python || $(PYTHON) -m venv $(VENV)-sbom
	@$(VENV)-sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/sbom.txt
	@touch $@
