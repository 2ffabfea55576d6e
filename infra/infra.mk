# Penny on AWS. DEPLOYMENT is the file that describes one; infra/deployments/example.toml explains it.
DEPLOYMENT ?= infra/deployments/example.toml
INFRA := .venv-infra
INFRABIN := $(INFRA)/bin
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1
export CDK_DISABLE_CLI_TELEMETRY := true

synth: $(INFRA)/infra.ok infra/node_modules/installed.ok  ## the CloudFormation templates, in infra/cdk.out; offline
	@$(NODE) $(INFRABIN)/python -m infra.cdk synth $(DEPLOYMENT)

infra-check: $(INFRA)/infra.ok infra/node_modules/installed.ok  ## types, templates and their tests: cdk-nag, cfn-lint, checkov, hadolint
	$(INFRABIN)/mypy --config-file infra/mypy.ini
	$(NODE) $(INFRABIN)/python -m pytest -c infra/pytest.ini infra/tests $(ARGS)
	@$(MAKE) --no-print-directory synth
	@# W3005, W3010: the CDK writes dependencies twice, and the zones are a deployment's own words
	$(INFRABIN)/cfn-lint --non-zero-exit-code error --ignore-checks W3005 W3010 -- infra/cdk.out/*.template.json
	$(INFRABIN)/checkov -d infra/cdk.out --config-file infra/checkov.yaml
	@for file in Dockerfile*; do test ! -e $$file || $(INFRABIN)/hadolint $$file; done

deploy: $(INFRA)/infra.ok infra/node_modules/installed.ok  ## all of it, to the account that DEPLOYMENT names
	@$(NODE) $(INFRABIN)/python -m infra.deploy $(DEPLOYMENT)

destroy: $(INFRA)/infra.ok infra/node_modules/installed.ok  ## takes a deployment down; says first what would be lost
	@$(NODE) $(INFRABIN)/python -m infra.destroy $(DEPLOYMENT)

$(INFRA)/infra.ok: locks/infra.txt | $(BIN)/python
	@echo "penny: installing what the stacks are made and checked with (about two minutes, once)"
	@test -x $(INFRABIN)/python || $(PYTHON) -m venv $(INFRA)
	@$(INFRABIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/infra.txt
	@touch $@

infra/node_modules/installed.ok: infra/package-lock.json
	@$(NODE) node -v >/dev/null 2>&1 || { $(MAKE) --no-print-directory $(BIN)/python && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/node.txt; }
	@cd infra && sh ../widget/node.sh npm ci --no-audit --no-fund --loglevel=error
	@touch $@
