# make demo: from recordings to a proven file, and a report.   make test: the suite.   make help: the rest.
# TORCH is the version that CI tests; any from 2.9 on works: make setup TORCH=torch
VENV ?= .venv
PYTHON ?= python3
TORCH ?= torch==2.13.0
PIP_ARGS ?=
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test test-slow lint docs bench bench-evidence peers peers-shrink peers-introspect peers-speech browser clean

help:
	@echo "setup      a virtual environment in $(VENV), torch first; make setup PIP_ARGS='--index-url <an index of CPU builds>'"
	@echo "demo       train, shrink, export, prove and report, on real recordings of spoken digits"
	@echo "test       the test suite;  test-slow: the rest of it"
	@echo "lint       style, types, floors and the wall, generated docs"
	@echo "docs       write the generated parts of the docs anew"
	@echo "bench      every benchmark; each is a script under bench/ that prints a table"
	@echo "bench-evidence  validity, power and speed of the statistics, beside their peers (make peers installs those)"
	@echo "browser    Debian's Chromium (as root), for docs/picture.py, and onnxruntime-web for the engine web"
	@echo "peers-introspect  the same for the benchmarks of introspection"
	@echo "peers-speech  the same for the benchmarks of speech: librosa, kaldi-native-fbank, Silero, openSMILE"
	@echo "peers-shrink  what the benchmarks of compression hold us against, in an environment of their own"

setup: $(VENV)/.ready

# torch goes in first, alone, and is then held by a constraint: nothing that comes later may replace it.
$(VENV)/.ready: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install --quiet $(PIP_ARGS) "$(TORCH)"
	$(BIN)/python -c "from importlib.metadata import version; print('torch==' + version('torch').split('+')[0])" > $(VENV)/constraints.txt
	$(BIN)/pip install --quiet -c $(VENV)/constraints.txt -e ".[train,report,dev]"
	touch $@
	@echo "Ready. To have the command linnet at hand: source $(BIN)/activate"

# 1 and 2 say that a claim fails or is undecided: a result of the demo, not a failure of it.
demo: setup
	$(BIN)/linnet run recipes/digits.yaml || test $$? -le 2

test: setup
	$(BIN)/python -m pytest -q -n 2

test-slow: setup
	$(BIN)/python -m pytest -q -m "slow or browser"

lint: setup
	$(BIN)/ruff check linnet tests bench docs examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make_cli.py --check
	$(BIN)/python docs/make_data.py --check
	$(BIN)/python docs/make_models.py --check

docs: setup
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_data.py
	$(BIN)/python docs/make_models.py

bench: setup
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# each script prints what it needs where a peer is not installed
bench-evidence: setup
	for script in bench/evidence_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# only what the benchmarks hold us against; gbstats 0.8 asks for numpy below 2 but runs with it
peers: setup
	$(BIN)/pip install --quiet -c $(VENV)/constraints.txt tea-tasting savvi statsmodels "pandas>=2.2,<3" bokeh chartify ipywidgets
	$(BIN)/pip install --quiet --no-deps "gbstats==0.8.0" "spotify-confidence==4.1.0"

# in an environment of their own, torch first; coremltools 9 calls int() on arrays, which numpy from 2.3 on refuses
PEERS_SHRINK ?= .venv-peers
peers-shrink: setup
	test -x $(PEERS_SHRINK)/bin/python || $(PYTHON) -m venv $(PEERS_SHRINK)
	$(PEERS_SHRINK)/bin/pip install --quiet $(PIP_ARGS) "$(TORCH)" "numpy<2.3"
	$(PEERS_SHRINK)/bin/pip install --quiet -c $(VENV)/constraints.txt "numpy<2.3" onnx onnxruntime scikit-learn \
	  nncf openvino coremltools torchao executorch

# dnikit compiles annoy; what is compared runs in this environment, with Linnet's folder on PYTHONPATH
PEERS_INTROSPECT ?= .venv-introspect
peers-introspect: setup
	test -x $(PEERS_INTROSPECT)/bin/python || $(PYTHON) -m venv $(PEERS_INTROSPECT)
	$(PEERS_INTROSPECT)/bin/pip install --quiet $(PIP_ARGS) "$(TORCH)"
	$(PEERS_INTROSPECT)/bin/pip install --quiet -c $(VENV)/constraints.txt captum "cleanlab[datalab]" dnikit dnikit-torch \
	  opacus umap-learn pacmap -e ".[train,report,dev]"

# openSMILE's licence is for research; Silero's file is taken out of its wheel, and music out of a Debian package:
# apt-get download planetblupi-music-ogg && dpkg -x planetblupi-music-ogg*.deb music
PEERS_SPEECH ?= .venv-speech
peers-speech: setup
	test -x $(PEERS_SPEECH)/bin/python || $(PYTHON) -m venv $(PEERS_SPEECH)
	$(PEERS_SPEECH)/bin/pip install --quiet $(PIP_ARGS) "$(TORCH)"
	$(PEERS_SPEECH)/bin/pip install --quiet -c $(VENV)/constraints.txt librosa kaldi-native-fbank opensmile praat-parselmouth \
	  jiwer pocketsphinx -e ".[train,report,dev]"
	$(PEERS_SPEECH)/bin/pip install --quiet --no-deps silero-vad

browser:
	apt-get update && apt-get install --yes --no-install-recommends chromium nodejs npm
	npm install --prefix $(VENV) --no-fund --no-audit onnxruntime-web@1.30.0

clean:
	rm -rf $(VENV) runs
