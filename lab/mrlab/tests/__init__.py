# SPDX-License-Identifier: Apache-2.0
"""Tests of the lab itself, without a guest: every judge must notice what is wrong. Run: lab/unit"""
