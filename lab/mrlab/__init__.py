# SPDX-License-Identifier: Apache-2.0
"""The lab: boots guests, lets mrtrace record what fails there, and judges what it says. lab/README.md has a map of the modules."""
