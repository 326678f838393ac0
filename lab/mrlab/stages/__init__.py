# SPDX-License-Identifier: Apache-2.0
"""Stages: a module for each command of the lab, with its options, what its guests run, and which judge looks at what they left."""
