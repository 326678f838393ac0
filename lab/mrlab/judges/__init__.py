# SPDX-License-Identifier: Apache-2.0
"""Judges: what a guest left in a directory is compared with what must be there. None boots a guest; tests/ tries them on kept outputs."""
