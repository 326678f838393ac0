# SPDX-License-Identifier: Apache-2.0
# What one does with this tree. The steps are in .ci/ and lab/, which can be called by themselves.
MAKEFLAGS += --no-print-directory
KERNELS ?= newest

.PHONY: help setup build check unit test matrix clients bench bench-host bench-lab demo demo-2021 clean

help:
	@echo "make setup      install the Debian packages that are missing (root or sudo), look for Swift 6.2 or newer"
	@echo "make build      build/mrtrace: one static binary"
	@echo "make demo       boot the newest Debian kernel, record failing RDMA memory there, diagnose it"
	@echo "make demo-2021  the fsdax bug of 2021, broken and fixed side by side (builds a kernel once, ~13 minutes)"
	@echo "make test       everything below, and every scenario on the kernels $(KERNELS)"
	@echo "make matrix     every scenario on 5.10, 6.1, 6.12, 6.18, 7.2, the newest and fsdax-2021: a table of the answers"
	@echo "make clients    ibv_rc_pingpong, librpma and rdma-core's own Python tests, unmodified, under mrtrace"
	@echo "make bench      bench-host: what reading EVENTS (10 million) costs, beside babeltrace2; bench-lab: what tracing costs,"
	@echo "                in a guest's instructions, beside bpftrace. Tables, and docs/performance.md"
	@echo "make check      licences, formatting, syntax"
	@echo "make unit       unit tests, and those of the lab's judges"
	@echo "make clean      remove what was built here (the lab's kernels stay in its cache)"

setup:
	@.ci/setup

build:
	@.ci/build

check:
	@.ci/check

unit:
	@.ci/unit
	@lab/unit

test:
	@KERNELS="$(KERNELS)" .ci/test

matrix: setup build
	@lab/matrix

clients: setup build
	@lab/clients/run

bench: bench-host bench-lab

bench-host:
	@lab/bench/run --write

bench-lab: setup build
	@lab/bench/costs
	@lab/bench/costs --curves
	@lab/bench/start --write
	@lab/bench/costs --show --write

demo:
	@lab/demo

demo-2021:
	@lab/demo-2021

clean:
	@rm -rf build .build lab/workload/build lab/bench/probes/build lab/bench/__pycache__
	@find lab/mrlab -name __pycache__ -prune -exec rm -rf {} +
	@echo "removed build, .build, lab/workload/build (demo recordings and the lab's cache stay)"
