# `make` alone lists what there is to make.

# SwiftPM finds libtorch through the pkg-config file that Scripts/bootstrap writes.
export PKG_CONFIG_PATH := $(CURDIR)/.libtorch$(if $(PKG_CONFIG_PATH),:$(PKG_CONFIG_PATH))

host := .build/release/host
swift_files := Package.swift Sources Templates/Sources Plugins Tests

.PHONY: help bootstrap build demo test campaign mutants bench docs format lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## get what the build needs: system packages, libtorch
	@Scripts/bootstrap

build: bootstrap ## build the host program for speed
	swift build -c release --product host

demo: build ## train, measure and sample a model on digits that ship with the package
	$(host) compose --encoder resnet --prior pedcc --sampler mh --name demo --overwrite

# The import check keeps plugins from using each other. Tests run side by side: threads that wait actively for work
# would take the cores from each other.
# With the name of one target, no other tests are built.
test: export LATENTKIT_TESTS = $(if $(findstring |,$(ONLY)),,$(filter %Tests,$(ONLY)))
test: ## build and run all tests, or those of one target (ONLY=RingTests)
	@Scripts/bootstrap --dev
	swift build --build-tests --explicit-target-dependency-import-check error
	OMP_WAIT_POLICY=passive swift test --skip-build --disable-xctest $(if $(ONLY),--filter '$(ONLY)')

campaign: ## look for faults for an hour or two: damaged files, kills, full disks, settings at their ends (SEED=2 for other cases)
	@Scripts/bootstrap --dev
	swift build --build-tests
	LATENTKIT_CAMPAIGN=full LATENTKIT_SEED=$(or $(SEED),1) OMP_WAIT_POLICY=passive swift test --skip-build --disable-xctest --no-parallel --filter 'CampaignTests|HostKitTests.(Ownership|TwoPrograms)|TemplatesTests.Instances'

mutants: ## plant faults in a copy of the sources, and see whether the tests find each (some hours; ONLY="NAME NAME" for some)
	@Scripts/bootstrap --dev
	@Scripts/mutants $(ONLY)

bench: ## time LatentKit beside PyTorch, Pythae, NumPy and scikit-learn, and how cost grows, on one page (DEVICE=cuda; BENCH="--quick")
	@Scripts/bootstrap --bench
	swift build -c release --product host
	swift build -c release --product bench
	.venv/bin/python -B Benchmarks/page.py $(if $(DEVICE),--device $(DEVICE)) $(BENCH)

docs: bootstrap ## make the guide and the documentation of the library a site: .build/docs
	@Scripts/docs

format: ## lay out the Swift sources
	swift format --in-place --recursive $(swift_files)

lint: ## check the layout of the Swift sources
	swift format lint --strict --recursive $(swift_files)

clean: ## remove what was built; libtorch, .venv and runs stay
	rm -rf .build
